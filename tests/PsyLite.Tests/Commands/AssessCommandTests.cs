using System.Text;
using System.Text.Json;
using PsyLite.Commands;

namespace PsyLite.Tests.Commands;

public sealed class AssessCommandTests
{
    private static async Task<(bool Clean, List<JsonElement> Lines)> AssessAsync(string input)
    {
        using var target = new MemoryStream();
        var clean = await AssessCommand.RunAsync(new MemoryStream(Encoding.UTF8.GetBytes(input)), target, CancellationToken.None);
        var lines = Encoding.UTF8.GetString(target.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (clean, [.. lines.Select(l => JsonDocument.Parse(l).RootElement)]);
    }

    [Fact]
    public async Task Lines_are_answered_in_order_with_the_contract_s_fields()
    {
        var (clean, lines) = await AssessAsync("""
            {"id":1,"text":"最近睡不着"}
            {"id":"b","text":"我不想活了，药已经买好了"}

            {"id":3,"messages":[{"role":"user","content":"我不想活了，药已经买好了"},{"role":"assistant","content":"我在。"},{"role":"user","content":"嗯"}]}
            """);
        Assert.True(clean);
        Assert.Equal(["1", "\"b\"", "3"], lines.Select(l => l.GetProperty("id").GetRawText()));
        Assert.Equal([1, 0, 0], lines.Select(l => l.GetProperty("route").GetInt32()));
        Assert.All(lines, l =>
        {
            Assert.InRange(l.GetProperty("score").GetDouble(), 0, 1);
            Assert.Matches("^T([0-4]|F|O|A)$", l.GetProperty("tier").GetString());
            Assert.Equal(JsonValueKind.Array, l.GetProperty("signals").ValueKind);
            Assert.True(l.GetProperty("micros").GetDouble() > 0);
        });
        Assert.NotEqual(0, lines[1].GetProperty("signals").GetArrayLength());
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("3")]
    [InlineData("""{"text":"没有编号"}""")]
    [InlineData("""{"id":1}""")]
    [InlineData("""{"id":1,"text":5}""")]
    [InlineData("""{"id":1,"messages":[{"role":"assistant","content":"a"}]}""")]
    [InlineData("""{"id":1,"messages":[{"content":"a"}]}""")]
    [InlineData("""{"id":[1],"text":"a"}""")]
    public async Task A_bad_line_is_reported_and_the_rest_goes_on(string bad)
    {
        var (clean, lines) = await AssessAsync(bad + "\n{\"id\":2,\"text\":\"你好\"}\n");
        Assert.False(clean);
        Assert.Equal(2, lines.Count);
        Assert.Equal(JsonValueKind.Null, lines[0].GetProperty("id").ValueKind);
        Assert.False(string.IsNullOrEmpty(lines[0].GetProperty("error").GetString()));
        Assert.Equal(2, lines[1].GetProperty("id").GetInt32());
    }

    [Fact]
    public async Task Random_bytes_never_break_it()
    {
        var random = new Random(7);
        var bytes = new byte[4000];
        for (var round = 0; round < 50; round++)
        {
            random.NextBytes(bytes);
            using var target = new MemoryStream();
            Assert.False(await AssessCommand.RunAsync(new MemoryStream(bytes), target, CancellationToken.None));
        }
    }
}
