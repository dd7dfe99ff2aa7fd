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
/// same process. The engine answers at once; people come at an even rate, as people do, and not in one rush.
/// </summary>
internal static class ServerShare
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Warming = TimeSpan.FromSeconds(4);

    /// <returns>Milliseconds of each turn.</returns>
    public static async Task<IReadOnlyList<double>> RunAsync(int people, int perSecond, bool isRecorded, CancellationToken cancellationToken)
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
        await using (var store = new StoreHost(options, TimeProvider.System, line => Console.Error.WriteLine($"psylite: {line}")))
        using (var parts = Composition.Create(options, load: () => Task.FromResult(new LoadedModel(new InstantModel(), null, "instant")), store: store))
        await using (var app = PsyLiteServer.Build(parts))
        {
            await app.StartAsync(cancellationToken);
            parts.Model.Start();
            using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
            await TalkAsync(http, people, perSecond, Warming, isRecorded, 0, cancellationToken);
            var times = await TalkAsync(http, people, perSecond, Length, isRecorded, 1, cancellationToken);
            await app.StopAsync(CancellationToken.None);
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            return times;
        }
    }

    private static async Task<IReadOnlyList<double>> TalkAsync(HttpClient http, int people, int perSecond, TimeSpan length, bool isRecorded, int round, CancellationToken cancellationToken)
    {
        var running = new List<Task<double>>();
        using var beat = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / perSecond));
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < length && await beat.WaitForNextTickAsync(cancellationToken);)
        {
            running.Add(AskAsync(http, running.Count % people, isRecorded ? $"talk{round}" : null, cancellationToken));
        }

        return await Task.WhenAll(running);
    }

    private static async Task<double> AskAsync(HttpClient http, int person, string? conversation, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["model"] = "psylite",
            ["user"] = $"p{person}",
            ["conversation_id"] = conversation,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "工作上的事有点烦，昨晚又没睡好，想找人聊聊" }),
        };
        var watch = Stopwatch.StartNew();
        using var response = await http.PostAsJsonAsync("/v1/chat/completions", body, cancellationToken);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return watch.Elapsed.TotalMilliseconds;
    }

    /// <summary>Says one sentence as soon as it is asked.</summary>
    private sealed class InstantModel : IChatClient
    {
        public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.CompletedTask;
            yield return new ChatResponseUpdate(ChatRole.Assistant, "听起来你这阵子很不容易，睡不好的时候，心里最放不下的是什么？");
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
