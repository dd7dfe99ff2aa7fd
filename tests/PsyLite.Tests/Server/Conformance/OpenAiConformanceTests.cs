using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Risk;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Server.Conformance;

/// <summary>Checks 23 to 35: the npm client openai.</summary>
public sealed class OpenAiConformanceTests
{
    private const string Reply = "听起来你这几天睡得不太安稳。愿意多说一点吗？";
    private static readonly string[] Spoken = ["<think>他在说", "睡眠。</think>", "听起来你", "这几天睡得", "不太安稳。", "愿意多说一点吗？"];

    [Fact]
    public async Task Check_23_models_list_iterates()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        Assert.Equal(["psylite"], (await NpmClient.OpenAiAsync(server, "models")).EnumerateArray().Select(m => m.GetString()));
    }

    [Fact]
    public async Task Check_24_a_stream_begins_with_the_role_and_ends_with_a_reason_and_usage_when_asked()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        var streams = (await NpmClient.OpenAiAsync(server, "streams")).EnumerateArray().ToList();
        foreach (var stream in streams)
        {
            Assert.Equal("assistant", stream.GetProperty("roles").EnumerateArray().Single().GetString());
            Assert.Equal(Reply, stream.GetProperty("content").GetString());
            Assert.Equal("他在说睡眠。", stream.GetProperty("reasoning").GetString());
            Assert.Equal("stop", stream.GetProperty("finish").GetString());
            Assert.True(stream.GetProperty("pieces").GetInt32() >= 2);
        }

        Assert.Equal(JsonValueKind.Null, streams[0].GetProperty("usage").ValueKind);
        Assert.True(streams[1].GetProperty("usage").GetProperty("total_tokens").GetInt32() > 0);
    }

    [Fact]
    public async Task Check_25_the_final_completion_comes_through_events_and_reasoning()
    {
        var model = new ScriptedChatClient(_ => Spoken) { Pause = TimeSpan.FromMilliseconds(400) };
        await using var server = await RunningServer.StartAsync(model);
        var final = await NpmClient.OpenAiAsync(server, "final");
        Assert.True(final.GetProperty("events").GetInt32() >= 1);
        Assert.Equal(Reply, final.GetProperty("content").GetString());
        Assert.Equal("stop", final.GetProperty("finish").GetString());
    }

    [Fact]
    public async Task Check_26_a_think_tag_split_at_any_byte_never_shows()
    {
        const string Text = "<think>他累了</think>听起来很辛苦。";
        var bytes = Encoding.UTF8.GetBytes(Text);
        var model = new ScriptedChatClient(messages =>
        {
            var cut = int.Parse(string.Concat(messages[^1].Text.Where(char.IsAsciiDigit)), System.Globalization.CultureInfo.InvariantCulture);
            var decoder = Encoding.UTF8.GetDecoder();
            string Decode(ReadOnlySpan<byte> part)
            {
                var characters = new char[part.Length + 1];
                return new string(characters, 0, decoder.GetChars(part, characters, flush: false));
            }

            return [Decode(bytes.AsSpan(0, cut)), Decode(bytes.AsSpan(cut))];
        });
        await using var server = await RunningServer.StartAsync(model);
        var seen = await NpmClient.OpenAiAsync(server, "boundaries", bytes.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(bytes.Length, seen.GetArrayLength());
        Assert.All(seen.EnumerateArray(), s => Assert.Equal(("听起来很辛苦。", "他累了"), (s.GetProperty("content").GetString(), s.GetProperty("reasoning").GetString())));
    }

    [Fact]
    public async Task Check_27_reasoning_that_is_never_closed_leaves_an_answer()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("<think>他在说睡眠，", "要先"));
        var whole = await NpmClient.OpenAiAsync(server, "whole");
        Assert.False(string.IsNullOrWhiteSpace(whole.GetProperty("content").GetString()));
        Assert.DoesNotContain("<", whole.GetProperty("content").GetString());
        Assert.Equal("他在说睡眠，要先", whole.GetProperty("reasoning").GetString());
    }

    [Fact]
    public async Task Check_28_an_unknown_model_is_a_NotFoundError()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        var error = await NpmClient.OpenAiAsync(server, "unknown");
        Assert.Equal(("NotFoundError", 404, "model_not_found"), (error.GetProperty("kind").GetString(), error.GetProperty("status").GetInt32(), error.GetProperty("code").GetString()));
        Assert.Contains("psylite", error.GetProperty("message").GetString());
    }

    [Fact]
    public async Task Check_29_a_bad_key_is_an_AuthenticationError_and_a_malformed_body_a_BadRequestError()
    {
        await using var locked = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken), apiKey: "s3cret");
        Assert.Equal("AuthenticationError", (await NpmClient.OpenAiAsync(locked, "key")).GetProperty("kind").GetString());
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        Assert.Equal("BadRequestError", (await NpmClient.OpenAiAsync(server, "malformed")).GetProperty("kind").GetString());
    }

    [Fact]
    public async Task Check_30_an_engine_killed_midway_is_an_APIError()
    {
        static IEnumerable<string> Break(IReadOnlyList<ChatMessage> messages)
        {
            yield return "我听到你说今天很累。";
            yield return "我们慢慢来，先";
            throw new InvalidOperationException("boom");
        }

        await using var server = await RunningServer.StartAsync(new ScriptedChatClient(Break));
        var broken = await NpmClient.OpenAiAsync(server, "broken");
        Assert.StartsWith("我听到你说今天很累。", broken.GetProperty("shown").GetString());
        Assert.Equal("APIError", broken.GetProperty("error").GetProperty("kind").GetString());
        Assert.Equal("reply_interrupted", broken.GetProperty("error").GetProperty("code").GetString());
        Assert.DoesNotContain("boom", broken.ToString());
    }

    [Fact]
    public async Task Check_31_overload_is_429_and_a_retry_counts_one_event_of_risk()
    {
        var calls = 0;
        await using var server = await RunningServer.StartAsync(
            new ScriptedChatClient(_ => Interlocked.Increment(ref calls) == 1 ? Enumerable.Repeat("我在听你说，慢慢来。", 10_000) : Spoken) { Pause = TimeSpan.FromMilliseconds(5) },
            new ServerSetup { Options = o => o with { MaxTurns = 1 } });
        var seen = await NpmClient.OpenAiAsync(server, "overload");
        var refused = seen.GetProperty("refused");
        Assert.Equal(429, refused.GetProperty("status").GetInt32());
        Assert.True(int.Parse(refused.GetProperty("retryAfter").GetString()!, System.Globalization.CultureInfo.InvariantCulture) >= 1);
        Assert.Contains("12356", seen.GetProperty("danger").GetString());
        Assert.Equal(200, seen.GetProperty("status").GetInt32());

        var before = Events(server);
        var lost = await NpmClient.OpenAiAsync(server, "lost");
        Assert.Equal(["0", "1"], lost.GetProperty("retries").EnumerateArray().Select(r => r.GetString()));
        Assert.Contains("12356", lost.GetProperty("content").GetString());
        Assert.Equal(before + 1, Events(server));
    }

    [Fact]
    public async Task Check_32_embeddings_come_in_base64_by_default_and_equal_the_floats()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken), new ServerSetup { Embedder = new WordEmbedder() });
        var seen = await NpmClient.OpenAiAsync(server, "embeddings");
        static List<float[]> Vectors(JsonElement list) => [.. list.EnumerateArray().Select(v => v.EnumerateArray().Select(x => x.GetSingle()).ToArray())];
        var (byDefault, floats, decoded) = (Vectors(seen.GetProperty("byDefault")), Vectors(seen.GetProperty("floats")), Vectors(seen.GetProperty("decoded")));
        Assert.Equal([96, 96], byDefault.Select(v => v.Length));
        Assert.Equal(floats, byDefault);
        Assert.Equal(floats, decoded);
        Assert.All(floats, v => Assert.Equal(1, Math.Sqrt(v.Sum(x => (double)x * x)), 5));
    }

    [Fact]
    public async Task Check_33_logprobs_have_two_alternatives()
    {
        static JsonArray Told(string piece) =>
        [
            new JsonObject
            {
                ["token"] = piece,
                ["logprob"] = -0.1,
                ["bytes"] = new JsonArray([.. Encoding.UTF8.GetBytes(piece).Select(b => (JsonNode)b)]),
                ["top_logprobs"] = new JsonArray(new JsonObject { ["token"] = piece, ["logprob"] = -0.1 }, new JsonObject { ["token"] = "嗯", ["logprob"] = -2.5 }),
            },
        ];
        await using var server = await RunningServer.StartAsync(new ScriptedChatClient(_ => ["听起来你很累。", "慢慢说。"]) { Likelihoods = Told });
        var seen = await NpmClient.OpenAiAsync(server, "logprobs");
        foreach (var name in new[] { "whole", "streamed" })
        {
            Assert.Equal(["听起来你很累。", "慢慢说。"], seen.GetProperty(name).EnumerateArray().Select(t => t.GetProperty("token").GetString()));
            Assert.All(seen.GetProperty(name).EnumerateArray(), t => Assert.Equal(2, t.GetProperty("top_logprobs").GetArrayLength()));
        }

        Assert.Equal(JsonValueKind.Null, seen.GetProperty("none").ValueKind);
    }

    [Fact]
    public async Task Check_34_an_abort_reaches_the_engine_within_a_second()
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("我在听你说，慢慢来。", 100_000)) { Pause = TimeSpan.FromMilliseconds(10) };
        await using var server = await RunningServer.StartAsync(model);
        Assert.True((await NpmClient.OpenAiAsync(server, "abort")).GetBoolean());
        await model.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Check_35_content_may_be_a_list_of_parts()
    {
        var model = ScriptedChatClient.Saying(Spoken);
        await using var server = await RunningServer.StartAsync(model);
        Assert.Equal(Reply, (await NpmClient.OpenAiAsync(server, "parts")).GetString());
        Assert.Equal("今天有点累", model.LastMessages[^1].Text);
    }

    [Fact]
    public async Task Without_an_embedder_both_dialects_say_what_to_install()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        var openai = await NpmClient.OpenAiAsync(server, "noEmbedder");
        Assert.Equal(("BadRequestError", "no_embedding_model"), (openai.GetProperty("kind").GetString(), openai.GetProperty("code").GetString()));
        Assert.Contains("psylite model pull", openai.GetProperty("message").GetString());
        Assert.Contains("psylite model pull", (await NpmClient.OllamaAsync(server, "noEmbedder")).GetProperty("message").GetString());
    }

    private static int Events(RunningServer server) => server.Audit.Count(r => r.Action == AuditAction.CrisisReply && r.Tier != Tier.T0);
}
