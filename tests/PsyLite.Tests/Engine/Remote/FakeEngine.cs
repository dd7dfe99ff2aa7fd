using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace PsyLite.Tests.Engine.Remote;

/// <summary>What an engine does with one request for a reply.</summary>
public sealed record EngineFault
{
    public static EngineFault None { get; } = new();

    public int Status { get; init; }

    public string? RetryAfter { get; init; }

    /// <summary>Breaks the connection after so many events.</summary>
    public int? DiesAfter { get; init; }

    /// <summary>Goes silent after so many events, until the client leaves.</summary>
    public int? HangsAfter { get; init; }

    /// <summary>Ends the answer properly after so many events, without saying that it is over.</summary>
    public int? EndsAfter { get; init; }

    /// <summary>Sends this instead of a stream.</summary>
    public byte[]? Raw { get; init; }
}

/// <summary>An engine that speaks both protocols over real connections and says 甲乙丙丁戊己庚辛 after a thought.</summary>
public sealed class FakeEngine : IAsyncDisposable
{
    public const string Thought = "想一想。";
    public const string Reply = "甲乙丙丁戊己庚辛";
    private WebApplication? _app;
    private int _chats;
    private int _aborted;
    private int _underWay;
    private int _mostUnderWay;

    private FakeEngine()
    {
    }

    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    public Func<int, EngineFault> Behaves { get; set; } = _ => EngineFault.None;

    public bool IsDead { get; set; }

    public TimeSpan Pace { get; set; }

    /// <summary>Bytes written at once; 0 for a whole event.</summary>
    public int Slice { get; set; }

    /// <summary>Answer to a request that does not stream, by its parsed body.</summary>
    public Func<JsonElement, object> Short { get; set; } = _ => new { };

    public int Chats => Volatile.Read(ref _chats);

    public int Aborted => Volatile.Read(ref _aborted);

    public int MostUnderWay => Volatile.Read(ref _mostUnderWay);

    public string? Authorization { get; private set; }

    public JsonElement LastBody { get; private set; }

    public static async Task<FakeEngine> StartAsync(int port = 0)
    {
        var engine = new FakeEngine();
        engine._app = await LoopbackApp.StartAsync(engine.AnswerAsync, port);
        engine.Address = new Uri(engine._app.Urls.First());
        return engine;
    }

    public async ValueTask DisposeAsync() => await _app!.DisposeAsync();

    /// <summary>Events of a whole reply as llama-server, vLLM or Ollama send them.</summary>
    public static IReadOnlyList<string> Events(string dialect)
    {
        static string Sse(object value) => $"data: {JsonSerializer.Serialize(value)}\n\n";
        static string Delta(object delta, string? finish = null) => Sse(new { id = "c", @object = "chat.completion.chunk", choices = new[] { new { index = 0, delta, finish_reason = finish } } });
        static string Line(string thinking, string content, bool done = false) =>
            JsonSerializer.Serialize(new { model = "m", message = new { role = "assistant", content, thinking }, done, done_reason = done ? "stop" : null, eval_count = done ? 9 : (int?)null }) + "\n";
        var usage = Sse(new { choices = Array.Empty<object>(), usage = new { prompt_tokens = 7, completion_tokens = 9, total_tokens = 16 }, timings = new { } });
        var text = Reply.Select(c => c.ToString());
        return dialect switch
        {
            "llama-server" => [": ping\n\n", Delta(new { role = "assistant", content = (string?)null }), Delta(new { reasoning_content = Thought }), .. text.Select(t => Delta(new { content = t })), Delta(new { }, "stop"), usage, "data: [DONE]\n\n"],
            "vllm" => [Delta(new { role = "assistant", content = "" }), Delta(new { reasoning = Thought }), .. text.Select(t => Delta(new { content = t })), Delta(new { content = "" }, "stop"), usage, "data: [DONE]\n\n"],
            "inline" => [Delta(new { content = "<thi" }), Delta(new { content = $"nk>{Thought}</think>" }), .. text.Select(t => Delta(new { content = t })), Delta(new { }, "stop"), "data: [DONE]\n\n"],
            "crlf" => [.. Events("llama-server").Select(e => e.Replace("\n", "\r\n", StringComparison.Ordinal))],
            "ollama" => [Line(Thought, ""), .. text.Select(t => Line("", t)), Line("", "", done: true)],
            _ => throw new ArgumentOutOfRangeException(nameof(dialect)),
        };
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (IsDead)
        {
            context.Abort();
            return;
        }

        Authorization = context.Request.Headers.Authorization.ToString();
        var path = context.Request.Path.Value!;
        if (path is "/v1/models" or "/api/tags")
        {
            await context.Response.WriteAsync(path == "/v1/models" ? """{"object":"list","data":[{"id":"served"}]}""" : """{"models":[{"name":"served:latest","model":"served:latest"}]}""");
            return;
        }

        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        LastBody = body.RootElement.Clone();
        if (!LastBody.GetProperty("stream").GetBoolean())
        {
            await context.Response.WriteAsync(JsonSerializer.Serialize(Short(LastBody)));
            return;
        }

        var now = Interlocked.Increment(ref _underWay);
        _mostUnderWay = Math.Max(_mostUnderWay, now);
        try
        {
            await StreamAsync(context, Behaves(Interlocked.Increment(ref _chats)), path == "/api/chat" ? "ollama" : "llama-server");
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _aborted);
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    private async Task StreamAsync(HttpContext context, EngineFault fault, string dialect)
    {
        if (fault.Status != 0)
        {
            context.Response.StatusCode = fault.Status;
            context.Response.Headers.RetryAfter = fault.RetryAfter;
            context.Response.Headers.Location = "http://localhost:1/";
            await context.Response.WriteAsync("""{"error":{"message":"secret words of the conversation"}}""");
            return;
        }

        if (fault.Raw is not null)
        {
            await context.Response.Body.WriteAsync(fault.Raw);
            return;
        }

        var sent = 0;
        foreach (var e in Events(dialect))
        {
            if (sent == fault.EndsAfter)
            {
                return;
            }

            if (sent == fault.DiesAfter || IsDead)
            {
                await Task.Delay(50);
                context.Abort();
                return;
            }

            if (sent++ == fault.HangsAfter)
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }

            var bytes = Encoding.UTF8.GetBytes(e);
            foreach (var part in bytes.Chunk(Slice > 0 ? Slice : bytes.Length))
            {
                await context.Response.Body.WriteAsync(part, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }

            await Task.Delay(Pace, context.RequestAborted);
        }
    }
}
