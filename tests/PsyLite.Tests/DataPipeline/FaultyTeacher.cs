using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace PsyLite.Tests.DataPipeline;

/// <summary>
/// An OpenAI-compatible teacher over real connections that misbehaves as teachers do: 429 with Retry-After, 500, silence, half answers, garbage, resets.
/// What it says depends on the request alone. It bills an answer when it has thought of it, and answers a repeated Idempotency-Key from memory.
/// </summary>
internal sealed class FaultyTeacher : IAsyncDisposable
{
    /// <summary>Stands in every question about a reasoning.</summary>
    private const string Doubt = "【思考】";
    private WebApplication? _app;
    private readonly ConcurrentDictionary<string, int> _seen = new();
    private int _requests;
    private int _faults;
    private int _visits;

    private FaultyTeacher()
    {
    }

    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Share of requests that go wrong.</summary>
    public double FaultRate { get; set; }

    /// <summary>Share of turns whose first answer cannot be used.</summary>
    public double BadRate { get; set; } = 0.1;

    public TimeSpan Pace { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Answers every request with this status.</summary>
    public int? Always { get; set; }

    /// <summary>Answers every question about a reasoning with this status.</summary>
    public int? DoubterAlways { get; set; }

    /// <summary>How long a question about a reasoning waits for its answer.</summary>
    public TimeSpan DoubterPace { get; set; }

    /// <summary>What is said of every reasoning; null is a yes or a no by chance.</summary>
    public string? Opinion { get; set; }

    /// <summary>Nothing is answered before this is.</summary>
    public Task Hold { get; set; } = Task.CompletedTask;

    /// <summary>Keys of answers that were thought of, each paid once; the value is how often the whole answer was sent.</summary>
    public ConcurrentDictionary<string, int> Bills { get; } = new();

    /// <summary>Connections of any kind, those that only look at the list of models among them.</summary>
    public int Visits => Volatile.Read(ref _visits);

    /// <summary>Keys whose answers the program has on disk; a request for one of them is a fault of the program.</summary>
    public HashSet<string> Settled { get; set; } = [];

    public int AskedAgain { get; private set; }

    public int Requests => Volatile.Read(ref _requests);

    public int Faults => Volatile.Read(ref _faults);

    public ConcurrentQueue<DateTimeOffset> Times { get; } = new();

    public static async Task<FaultyTeacher> StartAsync()
    {
        var teacher = new FaultyTeacher();
        teacher._app = await LoopbackApp.StartAsync(teacher.AnswerAsync);
        teacher.Address = new Uri(teacher._app.Urls.First());
        return teacher;
    }

    public async ValueTask DisposeAsync() => await _app!.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _visits);
        if (context.Request.Path.Value!.EndsWith("/models", StringComparison.Ordinal))
        {
            await context.Response.WriteAsync("""{"object":"list","data":[{"id":"teacher"}]}""");
            return;
        }

        Interlocked.Increment(ref _requests);
        Times.Enqueue(DateTimeOffset.UtcNow);
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        Assert.NotEmpty(key);
        lock (Settled)
        {
            AskedAgain += Settled.Contains(key) ? 1 : 0;
        }

        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var asked = body.RootElement.GetProperty("messages").EnumerateArray().Last().GetProperty("content").GetString()!;
        var time = _seen.AddOrUpdate(key, 1, (_, n) => n + 1);
        var dice = Dice(key + time);
        if (Always is { } status)
        {
            context.Response.StatusCode = status;
            return;
        }

        var isDoubt = asked.Contains(Doubt, StringComparison.Ordinal);
        if (isDoubt && DoubterAlways is { } refusal)
        {
            context.Response.StatusCode = refusal;
            return;
        }

        await Hold;
        await Task.Delay((Pace * (0.5 + Dice(key))) + (isDoubt ? DoubterPace : TimeSpan.Zero));
        if (dice < FaultRate)
        {
            Interlocked.Increment(ref _faults);
            await FailAsync(context, (int)(dice / FaultRate * 7), key, asked);
            return;
        }

        await SayAsync(context, Text(key, asked), "stop");
        if (!context.RequestAborted.IsCancellationRequested)
        {
            Bills.AddOrUpdate(key, 1, (_, n) => n + 1);
        }
    }

    private async Task FailAsync(HttpContext context, int kind, string key, string asked)
    {
        switch (kind)
        {
            case 0:
                context.Response.StatusCode = 429;
                context.Response.Headers.RetryAfter = "0";
                break;
            case 1:
                context.Response.StatusCode = 500;
                break;
            case 2:
                // Silence: the client gives up.
                await Task.Delay(TimeSpan.FromSeconds(30), context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                break;
            case 3:
                var text = Text(key, asked);
                await SayAsync(context, text[..(text.Length / 2)], null);
                context.Abort();
                break;
            case 4:
                await SayAsync(context, new string([.. Text(key, asked).Take(10)]), null);
                break;
            case 5:
                await context.Response.WriteAsync("<html>Bad gateway \ud83d</html>\n\ndata: {not json\n\n");
                break;
            default:
                context.Abort();
                break;
        }
    }

    private static async Task SayAsync(HttpContext context, string text, string? finish)
    {
        context.Response.ContentType = "text/event-stream";
        foreach (var piece in text.Chunk(40))
        {
            await context.Response.WriteAsync($"data: {JsonSerializer.Serialize(new { choices = new[] { new { index = 0, delta = new { content = new string(piece) } } } })}\n\n");
        }

        if (finish is not null)
        {
            await context.Response.WriteAsync($"data: {JsonSerializer.Serialize(new { choices = new[] { new { index = 0, delta = new { }, finish_reason = finish } } })}\n\n");
            await context.Response.WriteAsync("""data: {"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150}}""" + "\n\ndata: [DONE]\n\n");
        }
    }

    /// <summary>A reasoning that fits, or one that no gate lets through; the first time it is asked for, it is paid.</summary>
    private string Text(string key, string asked)
    {
        Bills.TryAdd(key, 0);
        if (asked.Contains(Doubt, StringComparison.Ordinal))
        {
            return Opinion ?? (Dice("doubt" + key) < 0.3 ? "否" : "是。");
        }

        if (Dice("bad" + key) < BadRate)
        {
            return "I cannot help with that request, as it is in a language that I was told not to answer.";
        }

        var parts = asked.Split("【咨询师的回复】\n");
        var question = parts[0][(parts[0].LastIndexOf('】') + 1)..].Trim();
        var reply = parts[^1].Trim();
        return $"他说到{question[..Math.Min(30, question.Length)]}，听得出这段日子不容易，心里又急又累。我先不急着给办法，把这份感受接住，再顺着往下想：{reply[..Math.Min(12, reply.Length)]}，这样说他会觉得被听见，也愿意多讲一点。";
    }

    private static double Dice(string text) => BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(text))) / (double)uint.MaxValue * 0.999999;
}
