using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using PsyLite.Server;
using PsyLite.Server.Ollama;
using PsyLite.Server.OpenAi;
using PsyLite.Server.Pipelines;

namespace PsyLite.Tests.Server;

/// <summary>Requests that are not what they should be.</summary>
public sealed class HostileRequestTests
{
    private static readonly string[] Posts =
        ["/v1/chat/completions", "/v1/embeddings", "/chat/completions", "/psylite/filter/inlet", "/psylite/valves/update", "/api/chat", "/api/generate", "/api/show", "/api/embed", "/api/pull"];

    private static readonly PipeValves Valves = new(true, null, null, false, true, true);
    private static readonly Caller Nobody = new("", null, null, null, false, false, "local", null);

    public static TheoryData<string, byte[]> Bodies { get; } = new()
    {
        { "nothing", [] },
        { "no JSON", "{\"model\":"u8.ToArray() },
        { "a list", "[1,2]"u8.ToArray() },
        { "a number", "7"u8.ToArray() },
        { "deep", Encoding.UTF8.GetBytes(new string('[', 5000)) },
        { "deep in an object", Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 200) + new string(']', 200) + "}") },
        { "bytes that are no text", [.. "{\"model\":\""u8, 0xff, 0xfe, .. "\"}"u8] },
        { "half a pair", "{\"model\":\"psylite\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud83d\"}],\"body\":{\"x\":\"\\ud83d\"}}"u8.ToArray() },
        { "a key twice", "{\"model\":\"psylite\",\"model\":\"x\"}"u8.ToArray() },
        { "wrong types", "{\"model\":5,\"messages\":{},\"body\":[],\"input\":{},\"prompt\":[],\"humour\":\"?\",\"stream\":\"yes\"}"u8.ToArray() },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Every_route_answers_one_line_in_its_own_dialect(string what, byte[] body)
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"));
        foreach (var path in Posts)
        {
            using var response = await server.Http.PostAsync(path, new ByteArrayContent(body));
            var text = await response.Content.ReadAsStringAsync();
            Assert.True((int)response.StatusCode is >= 400 and < 500, $"{what} at {path}: {(int)response.StatusCode} {text}");
            var answer = JsonDocument.Parse(text).RootElement;
            var message = path.StartsWith("/api/", StringComparison.Ordinal) ? answer.GetProperty("error").GetString() : answer.GetProperty("error").GetProperty("message").GetString();
            Assert.False(string.IsNullOrWhiteSpace(message));
            Assert.DoesNotContain('\n', message);
            Assert.True(path.StartsWith("/api/", StringComparison.Ordinal) || answer.GetProperty("detail").GetString() == message);
        }
    }

    [Fact]
    public async Task Unknown_paths_and_methods_are_told_in_the_dialect_of_their_surface()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"));
        Assert.Equal(JsonValueKind.String, (await server.SendAsync(HttpMethod.Post, "/api/create", new { })).Body.GetProperty("error").ValueKind);
        var (status, body) = await server.SendAsync(HttpMethod.Get, "/v1/chat/completions");
        Assert.Contains(status, new[] { 404, 405 });
        Assert.Equal(JsonValueKind.Object, body.GetProperty("error").ValueKind);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, "/v1/nothing/here")).Status);
    }

    [Fact]
    public async Task A_body_that_trickles_is_cut_off()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"));
        using var client = new TcpClient();
        await client.ConnectAsync(server.Http.BaseAddress!.Host, server.Http.BaseAddress.Port);
        var stream = client.GetStream();
        await stream.WriteAsync("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n{"u8.ToArray());
        var watch = Stopwatch.StartNew();
        var buffer = new byte[4096];
        var read = await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.InRange(watch.Elapsed.TotalSeconds, 3, 25);
        Assert.True(read == 0 || Encoding.ASCII.GetString(buffer, 0, read).StartsWith("HTTP/1.1 408", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_caller_who_asks_too_often_is_slowed_and_a_person_in_danger_is_not()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好的。"), new ServerSetup { Options = o => o with { RequestsPerMinute = 3 } });
        var statuses = new List<int>();
        for (var i = 0; i < 8; i++)
        {
            statuses.Add((await server.ChatAsync(new { model = "psylite", messages = new[] { new { role = "user", content = "今天有点累" } } })).Status);
        }

        Assert.Contains(429, statuses);
        Assert.Equal(200, statuses[0]);
        Assert.Contains("12356", await server.AskAsync("我不想活了，药已经买好了"));
        using var other = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = System.Net.Http.Json.JsonContent.Create(new { model = "psylite", user = "someone else", messages = new[] { new { role = "user", content = "今天有点累" } } }),
        };
        Assert.Equal(200, (int)(await server.Http.SendAsync(other)).StatusCode);
    }

    [Fact]
    public void Damaged_requests_only_ever_become_refusals()
    {
        var random = new Random(11);
        string[] whole =
        [
            """{"model":"psylite","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"今天\u4f60"}]}],"stream":true,"stream_options":{"include_usage":true},"user":{"id":"1"},"metadata":{"chat_id":"c","task":"x"},"temperature":0.5,"stop":["a"],"logprobs":true,"top_logprobs":2,"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object","properties":{"a":{"type":"string"},"b":{"$ref":"#/$defs/x"}},"required":["b"],"$defs":{"x":{"type":["array","null"],"minItems":2,"items":{"anyOf":[{"type":"number","minimum":3}]}}}}}}}""",
            """{"model":"psylite:latest","prompt":"你好","messages":[{"role":"user","content":"你好"}],"think":"low","keep_alive":"5m","format":{"type":"object","properties":{"t":{"enum":["a"]},"u":{"type":"string","maxLength":9}},"required":["t","u"]},"options":{"num_predict":5,"top_k":3,"min_p":0.1,"repeat_last_n":7,"stop":"x"},"input":["a","b"]}""",
            """{"humour":true,"language":"en","region":"HK","pipelines":["*"],"priority":2}""",
        ];
        string[] splinters = ["null", "-1", "1e999", "99999999999999999999", "\"\"", "[]", "{}", "true", "\"\\ud800\"", "[[[[]]]]", "{\"type\":\"object\"}", "\"#/$defs/x\""];
        var watch = Stopwatch.StartNew();
        var served = 0;
        for (var round = 0; round < 60_000 && watch.Elapsed < TimeSpan.FromSeconds(4); round++)
        {
            var text = whole[round % whole.Length];
            var bytes = round % 2 == 0 ? Scratch(Encoding.UTF8.GetBytes(text), random) : Encoding.UTF8.GetBytes(Replace(text, splinters, random));
            foreach (var parse in (Action<JsonElement>[])[
                body => ChatCompletionRequest.Parse(body, Nobody, Valves, "openai", false).Turn.Format?.Render("好"),
                body => OllamaRequest.OfChat(body, Nobody, Valves).Turn?.Format?.Render("好"),
                body => OllamaRequest.OfGenerate(body, Nobody, Valves),
                body => EmbeddingDesk.Texts(body, "input"),
                body => _ = new Valve("language", ValveKind.Text, "\"auto\"", "").Read(body)])
            {
                try
                {
                    parse(JsonBody.Parse(bytes));
                    served++;
                }
                catch (ApiException e)
                {
                    Assert.InRange(e.Status, 400, 499);
                }
            }
        }

        Assert.True(served > 0);
    }

    private static byte[] Scratch(byte[] bytes, Random random)
    {
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return bytes[..random.Next(bytes.Length / 2, bytes.Length + 1)];
    }

    /// <summary>Puts another value in the place of one.</summary>
    private static string Replace(string text, string[] splinters, Random random)
    {
        var colons = Enumerable.Range(0, text.Length).Where(i => text[i] == ':' && i + 1 < text.Length && text[i - 1] == '"').ToList();
        var at = colons[random.Next(colons.Count)] + 1;
        var end = at;
        for (var (depth, quoted) = (0, false); end < text.Length; end++)
        {
            quoted ^= text[end] == '"';
            depth += quoted ? 0 : text[end] is '{' or '[' ? 1 : text[end] is '}' or ']' ? -1 : 0;
            if (!quoted && (depth < 0 || (depth == 0 && text[end] == ',')))
            {
                break;
            }
        }

        return text[..at] + splinters[random.Next(splinters.Length)] + text[end..];
    }
}
