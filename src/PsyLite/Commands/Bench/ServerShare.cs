using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PsyLite.Options;
using PsyLite.Server;
using PsyLite.Store;

namespace PsyLite.Commands.Bench;

/// <summary>
/// What a turn costs besides its engine: HTTP, key and limits, assessment, guard, record and the answer's JSON, as the caller sees it, who runs in the
/// same process. The engine answers at once or after a known time, which is taken off; people come at an even rate, as people do, and not in one rush.
/// </summary>
internal static class ServerShare
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(10);

    /// <summary>A server that has run for a while has compiled its code; before that, compiling takes more of the processor than the turns do.</summary>
    private static readonly TimeSpan Warming = TimeSpan.FromSeconds(10);
    private const int WarmingRate = 4;

    /// <param name="engine">Until the engine's first word; it is taken off what a turn took, as long as it really was.</param>
    /// <returns>Milliseconds of each turn.</returns>
    public static async Task<IReadOnlyList<double>> RunAsync(int people, int perSecond, TimeSpan engine, bool isRecorded, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("psylite-bench-").FullName;
        var options = new AppOptions
        {
            Urls = "http://127.0.0.1:0",
            Store = Path.Combine(folder, "psylite.db"),
            Valves = Path.Combine(folder, "valves.json"),
            MaxTurns = 4096,
            RequestsPerMinute = 60_000,
        };
        try
        {
            using var model = new TimedModel(engine);
            await using var store = new StoreHost(options, TimeProvider.System, line => Console.Error.WriteLine($"psylite: {line}"));
            using var parts = Composition.Create(options, load: () => Task.FromResult(new LoadedModel(model, null, "timed")), store: store);
            await using var app = PsyLiteServer.Build(parts);
            await app.StartAsync(cancellationToken);
            parts.Model.Start();
            using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
            await TalkAsync(http, model, people, WarmingRate * perSecond, Warming, isRecorded ? "talk0" : null, cancellationToken);
            var times = await TalkAsync(http, model, people, perSecond, Length, isRecorded ? "talk1" : null, cancellationToken);
            await app.StopAsync(CancellationToken.None);
            return times;
        }
        finally
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<IReadOnlyList<double>> TalkAsync(
        HttpClient http, TimedModel model, int people, int perSecond, TimeSpan length, string? conversation, CancellationToken cancellationToken)
    {
        var running = new List<Task<double>>();
        using var beat = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / perSecond));
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < length && await beat.WaitForNextTickAsync(cancellationToken);)
        {
            running.Add(AskAsync(http, model, running.Count, people, conversation, cancellationToken));
        }

        return await Task.WhenAll(running);
    }

    private static async Task<double> AskAsync(HttpClient http, TimedModel model, int turn, int people, string? conversation, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["model"] = "psylite",
            ["user"] = $"p{turn % people}",
            ["conversation_id"] = conversation,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = $"工作上的事有点烦，昨晚又没睡好，想找人聊聊（第{turn}次）" }),
        };
        var watch = Stopwatch.StartNew();
        using var response = await http.PostAsJsonAsync("/v1/chat/completions", body, cancellationToken);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return watch.Elapsed.TotalMilliseconds - model.TakeMs(turn);
    }

    /// <summary>Says one sentence after a while, and knows how long that was for each turn.</summary>
    private sealed class TimedModel(TimeSpan wait) : IChatClient
    {
        private readonly ConcurrentDictionary<string, double> _took = new();

        /// <summary>Milliseconds until the word that answered this turn, of the time that the turn waited.</summary>
        public double TakeMs(int turn) => _took.Where(t => t.Key.Contains($"（第{turn}次）", StringComparison.Ordinal)).Select(t => _took.TryRemove(t) ? t.Value : 0).Sum();

        public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            if (wait > TimeSpan.Zero)
            {
                var watch = Stopwatch.StartNew();
                await Task.Delay(wait, cancellationToken);
                _took[messages.Last().Text] = watch.Elapsed.TotalMilliseconds;
            }

            yield return new ChatResponseUpdate(ChatRole.Assistant, "听起来你这阵子很不容易，睡不好的时候，心里最放不下的是什么？");
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
