using System.Text.Json;
using PsyLite.Server;
using PsyLite.Tests.ModelStore;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Server.Conformance;

/// <summary>Checks 36 to 43: the npm client ollama.</summary>
public sealed class OllamaConformanceTests
{
    private const string Reply = "听起来你这几天睡得不太安稳。愿意多说一点吗？";
    private static readonly string[] Spoken = ["<think>他在说", "睡眠。</think>", "听起来你", "这几天睡得", "不太安稳。", "愿意多说一点吗？"];

    [Fact]
    public async Task Check_36_list_show_ps_and_version_have_their_shapes()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        var seen = await NpmClient.OllamaAsync(server, "shapes");
        foreach (var entry in new[] { seen.GetProperty("list").GetProperty("models")[0], seen.GetProperty("ps").GetProperty("models")[0] })
        {
            Assert.Equal(("psylite:latest", "psylite:latest"), (entry.GetProperty("name").GetString(), entry.GetProperty("model").GetString()));
            Assert.Matches("^[0-9a-f]{64}$", entry.GetProperty("digest").GetString());
            Assert.Equal("internlm2", entry.GetProperty("details").GetProperty("family").GetString());
            Assert.True(entry.GetProperty("size").GetInt64() > 1_000_000);
        }

        var show = seen.GetProperty("show");
        Assert.Equal(show.ToString(), seen.GetProperty("tagged").ToString());
        Assert.True(show.GetProperty("model_info").GetProperty("internlm2.context_length").GetInt32() > 0);
        Assert.Contains("thinking", show.GetProperty("capabilities").EnumerateArray().Select(c => c.GetString()));
        Assert.Matches("^[0-9]+\\.[0-9]+\\.[0-9]+$", seen.GetProperty("version").GetProperty("version").GetString());
    }

    [Fact]
    public async Task Check_37_a_chat_streams_thinking_then_words_then_counts()
    {
        await using var server = await RunningServer.StartAsync(new ScriptedChatClient(_ => Spoken) { Pause = TimeSpan.FromMilliseconds(5) });
        var parts = (await NpmClient.OllamaAsync(server, "chat")).EnumerateArray().ToList();
        static string Text(JsonElement part, string name) => part.GetProperty("message").TryGetProperty(name, out var text) ? text.GetString()! : "";
        Assert.Equal("他在说睡眠。", string.Concat(parts.Select(p => Text(p, "thinking"))));
        Assert.Equal(Reply, string.Concat(parts.Select(p => Text(p, "content"))));
        Assert.True(parts.FindLastIndex(p => Text(p, "thinking").Length > 0) < parts.FindIndex(p => Text(p, "content").Length > 0));
        Assert.All(parts.SkipLast(1), p => Assert.False(p.GetProperty("done").GetBoolean()));
        var last = parts[^1];
        Assert.True(last.GetProperty("done").GetBoolean());
        Assert.Equal("stop", last.GetProperty("done_reason").GetString());
        Assert.True(last.GetProperty("prompt_eval_count").GetInt32() > 0 && last.GetProperty("eval_count").GetInt32() > 0);
        Assert.True(last.GetProperty("total_duration").GetInt64() > 5_000_000, "nanoseconds");
    }

    [Fact]
    public async Task Check_38_a_whole_reply_is_one_object_and_no_messages_mean_load()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        var seen = await NpmClient.OllamaAsync(server, "whole");
        Assert.Equal(Reply, seen.GetProperty("whole").GetProperty("message").GetProperty("content").GetString());
        Assert.Equal("load", seen.GetProperty("loaded").GetProperty("done_reason").GetString());
        Assert.Equal("unload", seen.GetProperty("unloaded").GetProperty("done_reason").GetString());
        Assert.Equal((Reply, "他在说睡眠。"), (seen.GetProperty("generated").GetProperty("response").GetString(), seen.GetProperty("generated").GetProperty("thinking").GetString()));
    }

    [Fact]
    public async Task Check_39_an_unknown_model_is_a_ResponseError_with_a_text()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        var error = await NpmClient.OllamaAsync(server, "unknown");
        Assert.Equal(("ResponseError", 404, "model 'nothing' not found"), (error.GetProperty("kind").GetString(), error.GetProperty("status").GetInt32(), error.GetProperty("message").GetString()));
    }

    [Fact]
    public async Task Check_40_thinking_that_is_not_shown_cannot_be_asked_for()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        var seen = await NpmClient.OllamaAsync(server, "think");
        Assert.Equal("none", seen.GetProperty("wanted").GetProperty("kind").GetString());
        Assert.False(seen.GetProperty("unwanted").TryGetProperty("thinking", out _));
        _ = await server.SendAsync(HttpMethod.Post, "/psylite/valves/update", new { show_reasoning = false });
        seen = await NpmClient.OllamaAsync(server, "think");
        Assert.Equal((400, "\"psylite\" does not support thinking"), (seen.GetProperty("wanted").GetProperty("status").GetInt32(), seen.GetProperty("wanted").GetProperty("message").GetString()));
        Assert.Equal(Reply, seen.GetProperty("unwanted").GetProperty("content").GetString());
    }

    [Fact]
    public async Task Check_41_embed_gives_unit_vectors_for_a_text_and_a_list()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken), new ServerSetup { Embedder = new WordEmbedder() });
        var seen = await NpmClient.OllamaAsync(server, "embed");
        Assert.Equal((1, 3, 96), (seen.GetProperty("one").GetArrayLength(), seen.GetProperty("many").GetArrayLength(), seen.GetProperty("old").GetArrayLength()));
        Assert.Equal(seen.GetProperty("one")[0].ToString(), seen.GetProperty("many")[0].ToString());
        Assert.All(seen.GetProperty("many").EnumerateArray(), v => Assert.Equal(1, Math.Sqrt(v.EnumerateArray().Sum(x => x.GetDouble() * x.GetDouble())), 5));
    }

    [Fact]
    public async Task Check_42_a_pull_resumes_after_breaks_and_throws_away_what_is_wrong()
    {
        await using var hub = await FakeHub.StartAsync();
        using var models = new TemporaryFolder();
        var setup = new ServerSetup
        {
            Options = o => o with { Mirror = hub.Origin.ToString(), Models = models["models"] },
            Limits = new ServerLimits { Downloads = Pulls.Limits with { Stall = TimeSpan.FromSeconds(10), Headers = TimeSpan.FromSeconds(20), Attempts = 10 } },
        };
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken), setup);
        hub.Behaves = _ => new Misbehaviour { Corrupts = true };
        var wrong = await NpmClient.OllamaAsync(server, "pull");
        Assert.Contains("SHA-256", wrong.GetProperty("error").GetProperty("message").GetString());
        Assert.Empty(Directory.EnumerateFiles(models["models"], "*.gguf", SearchOption.AllDirectories));

        hub.Behaves = request => request % 2 == 0 ? new Misbehaviour { DropsAfter = 20_000 } : Misbehaviour.None;
        var pulled = await NpmClient.OllamaAsync(server, "pull");
        Assert.Equal("none", pulled.GetProperty("error").GetProperty("kind").GetString());
        var lines = pulled.GetProperty("lines").EnumerateArray().Select(l => l.GetProperty("status").GetString()!).ToList();
        Assert.Equal("pulling manifest", lines[0]);
        Assert.Contains($"pulling {hub.Sha256[..12]}", lines);
        Assert.Equal(["verifying sha256 digest", "writing manifest", "success"], lines[^3..]);
        Assert.Equal(hub.Model, File.ReadAllBytes(Directory.EnumerateFiles(models["models"], "*.gguf", SearchOption.AllDirectories).Single()));
    }

    [Fact]
    public async Task Check_43_the_content_keeps_the_schema_in_danger_too()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying(Spoken));
        var seen = await NpmClient.OllamaAsync(server, "format");
        foreach (var (name, words) in new[] { ("calm", Reply), ("danger", "12356") })
        {
            var content = JsonDocument.Parse(seen.GetProperty(name).GetString()!).RootElement;
            Assert.Equal(4, content.EnumerateObject().Count());
            Assert.Contains(content.GetProperty("mood").GetString(), new[] { "low", "good" });
            Assert.Contains(words, content.GetProperty("reply").GetString());
            Assert.InRange(content.GetProperty("score").GetInt32(), 1, 5);
            Assert.Equal(JsonValueKind.Array, content.GetProperty("tags").ValueKind);
        }

        Assert.Equal(Reply, JsonDocument.Parse(seen.GetProperty("plain").GetString()!).RootElement.GetProperty("reply").GetString());
        Assert.Equal(400, seen.GetProperty("refused").GetProperty("status").GetInt32());
    }
}
