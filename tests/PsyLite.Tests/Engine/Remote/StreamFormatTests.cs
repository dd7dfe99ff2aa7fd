using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Engine.Remote;

namespace PsyLite.Tests.Engine.Remote;

/// <summary>The two stream formats, cut wherever a network may cut them.</summary>
public sealed class StreamFormatTests
{
    private static IRemoteProtocol Protocol(string dialect) => dialect == "ollama" ? new OllamaProtocol(4096) : new OpenAiProtocol();

    private static async Task<List<RemotePiece>> ReadAsync(string dialect, byte[] bytes, int slice)
    {
        var pieces = new List<RemotePiece>();
        await foreach (var piece in Protocol(dialect).ReadAsync(new SlicedStream(bytes, slice), CancellationToken.None))
        {
            pieces.Add(piece);
        }

        return pieces;
    }

    [Theory]
    [InlineData("llama-server")]
    [InlineData("vllm")]
    [InlineData("crlf")]
    [InlineData("ollama")]
    public async Task Every_dialect_says_the_same_at_every_cut(string dialect)
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(FakeEngine.Events(dialect)));
        for (var slice = 1; slice < 40; slice++)
        {
            var pieces = await ReadAsync(dialect, bytes, slice);
            Assert.Equal(FakeEngine.Thought, string.Concat(pieces.Select(p => p.Reasoning)));
            Assert.Equal(FakeEngine.Reply, string.Concat(pieces.Select(p => p.Text)));
            Assert.Equal(ChatFinishReason.Stop, Assert.Single(pieces, p => p.Finish is not null).Finish);
            Assert.True(pieces[^1].IsEnd);
            Assert.Equal(9, Assert.Single(pieces, p => p.Usage is not null).Usage!.OutputTokenCount);
        }
    }

    [Theory]
    [InlineData("openai", "data: {\"choices\":[{\"delta\":{\"content\":null,\"new\":[1]}}],\"x\":{}}\n\n")]
    [InlineData("openai", "event: message\nid: 7\ndata: {\"choices\":null}\n\n")]
    [InlineData("openai", "data: {\"choices\":[{\"delta\":null,\"finish_reason\":null}],\"error\":null}\n\n")]
    [InlineData("ollama", "{\"message\":null,\"done\":false}\n\n{\"status\":\"x\"}\n")]
    public async Task What_is_not_known_is_passed_over(string dialect, string text) =>
        Assert.All(await ReadAsync(dialect, Encoding.UTF8.GetBytes(text), 5), piece => Assert.Equal(new RemotePiece(), piece));

    [Theory]
    [InlineData("openai", "data: {\"error\":{\"message\":\"x\"}}\n\n")]
    [InlineData("ollama", "{\"error\":\"x\"}\n")]
    public async Task An_error_inside_the_stream_is_one(string dialect, string text) =>
        await Assert.ThrowsAsync<RemoteException>(() => ReadAsync(dialect, Encoding.UTF8.GetBytes(text), 100));

    [Fact]
    public async Task Damaged_streams_end_in_the_expected_faults_only()
    {
        var random = new Random(5);
        var until = DateTime.UtcNow.AddSeconds(2);
        for (var round = 0; DateTime.UtcNow < until; round++)
        {
            var dialect = round % 2 == 0 ? "llama-server" : "ollama";
            var bytes = Encoding.UTF8.GetBytes(string.Concat(FakeEngine.Events(dialect)));
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                await ReadAsync(dialect, bytes[..random.Next(bytes.Length)], random.Next(1, 64));
            }
            catch (Exception fault) when (fault is JsonException or RemoteException or InvalidOperationException or DecoderFallbackException)
            {
                // What RemoteReply turns into one line.
            }
        }
    }

    [Fact]
    public void Messages_fit_any_template()
    {
        ChatMessage[] messages =
        [
            new(ChatRole.System, "规则"), new(ChatRole.User, "一"), new(ChatRole.Assistant, [new TextReasoningContent("想"), new TextContent("二")]),
            new(ChatRole.User, "三"), new(ChatRole.System, "现在怎样？"),
        ];
        Assert.Equal(
            [new("system", "总则\n\n规则"), new("user", "一"), new("assistant", "二"), new("user", "三\n\n现在怎样？")],
            RemoteMessage.From(messages, "总则"));
    }

    [Theory]
    [InlineData(new[] { "愉", "▁平", "x" }, new[] { -0.1, -3.0, -4.0 }, new[] { -0.1, -3.0, -4.0 })]
    [InlineData(new[] { "愉快", "愉" }, new[] { -1.0, -1.0 }, new[] { -0.3069, -1.0, -1.0 })]
    [InlineData(new[] { "低落了" }, new[] { -0.2 }, new[] { -0.2, -0.2, -0.2 })]
    public void Labels_are_read_off_the_first_token(string[] tokens, double[] logs, double[] expected)
    {
        var read = LabelReading.Read([.. tokens.Zip(logs, (t, l) => new LikelyToken(Encoding.UTF8.GetBytes(t), l))], ["愉快", "平稳", "低落"]);
        Assert.NotNull(read);
        Assert.All(read.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 3));
    }

    [Fact]
    public void A_cut_character_is_read_by_its_bytes()
    {
        var cut = Encoding.UTF8.GetBytes("愉")[..2];
        Assert.Equal([-0.1, -0.1], LabelReading.Read([new LikelyToken(cut, -0.1)], ["愉快", "平稳"])!.Select(l => Math.Round(l, 9)));
        Assert.Null(LabelReading.Read([new LikelyToken(Encoding.UTF8.GetBytes("愉")[..1], -0.1)], ["愉快", "愤怒"]));
        Assert.Null(LabelReading.Read([new LikelyToken("<think>"u8.ToArray(), -0.1)], ["愉快", "平稳"]));
        Assert.Null(LabelReading.Read([new LikelyToken(" "u8.ToArray(), -0.1)], ["愉快", "平稳"]));
        Assert.Null(LabelReading.Read([new LikelyToken("愉快"u8.ToArray(), double.NaN)], ["愉快", "平稳"]));
    }

    private sealed class SlicedStream(byte[] bytes, int slice) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, slice));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, slice)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, slice)], cancellationToken);
    }
}
