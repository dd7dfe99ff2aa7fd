using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PsyLite.Store;
using PsyLite.Store.Conversations;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Server;

/// <summary>
/// kill -9 of a real server process at fifty random moments while people talk to it. What a caller has read as a whole reply is in the record, nothing is
/// there by half, nothing twice, and the next run goes on with the same files. Starting a server takes seconds; so half of the moments are real
/// kills, and at the other half the process is stopped and its files are copied as they lie, which is what a kill at this moment leaves.
/// </summary>
[Collection("postgres")]
public sealed class ServerKillTests(PostgresServer postgres) : IDisposable
{
    private const int Talkers = 4;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task No_reply_that_was_given_is_lost_in_fifty_kills_on_sqlite()
    {
        // Two at a time, so that one starts while the other is being killed.
        Directory.CreateDirectory(_folder["a"]);
        Directory.CreateDirectory(_folder["b"]);
        var lanes = await Task.WhenAll(
            new Lane(_folder["a/psylite.db"], _folder["a/psylite.db.key"], _folder["a"]).RunAsync(12, 1, 1),
            new Lane(_folder["b/psylite.db"], _folder["b/psylite.db.key"], _folder["b"]).RunAsync(12, 1, 2));
        Assert.True(lanes.Sum(l => l.Confirmed) > 80 && lanes.Sum(l => l.Broken) > 0, $"{lanes.Sum(l => l.Confirmed)} replies given, {lanes.Sum(l => l.Broken)} caught half-way: there was no load");
    }

    [Fact]
    public async Task No_reply_that_was_given_is_lost_in_kills_on_postgresql()
    {
        var (confirmed, _) = await new Lane(await postgres.CreateAsync(), _folder["server.key"], _folder["pg"]).RunAsync(2, 0, 3);
        Assert.True(confirmed > 7, $"{confirmed} replies given: there was no load");
    }

    private sealed class Lane(string store, string keys, string data)
    {
        private readonly ConcurrentDictionary<string, (string Said, string Reply)> _confirmed = [];
        private int _turns;

        /// <param name="kills">Runs of the server, each ended by a kill.</param>
        /// <param name="moments">Moments of each run at which its files are copied as a kill would leave them.</param>
        public async Task<(int Confirmed, int Broken)> RunAsync(int kills, int moments, int seed)
        {
            var random = new Random(seed);
            var broken = 0;
            for (var kill = 0; kill < kills; kill++)
            {
                var address = new Uri($"http://127.0.0.1:{LoopbackApp.FreePort()}");
                using var server = Start(address);
                using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(1) };
                await ListeningAsync(server, http);
                var before = _confirmed.Count;
                var talking = Enumerable.Range(0, Talkers).Select(t => TalkAsync(http, t)).ToList();

                // The store opens with the first turn; the moment is counted from the first reply on.
                for (var patience = Stopwatch.StartNew(); _confirmed.Count < before + 4 && patience.Elapsed < TimeSpan.FromSeconds(30); await Task.Delay(5))
                {
                }

                for (var moment = 0; moment < moments; moment++)
                {
                    await Task.Delay(random.Next(60));
                    var given = _confirmed.ToArray();
                    broken += await CheckAsync(await StoppedProcess.CopyFilesAsync(server, store, Path.Combine(data, $"{kill}-{moment}")), given);
                }

                await Task.Delay(random.Next(60));
                server.Kill();
                await server.WaitForExitAsync();
                await Task.WhenAll(talking);
                broken += await CheckAsync(store, _confirmed.ToArray());
            }

            return (_confirmed.Count, broken);
        }

        /// <summary>Half of the talkers are in danger, which needs no model; each turn is sent once.</summary>
        private async Task TalkAsync(HttpClient http, int talker)
        {
            while (true)
            {
                var turn = $"turn-{Interlocked.Increment(ref _turns)}";
                var said = talker % 2 == 0 ? $"我不想活了，药已经买好了（{turn}）" : $"猫今天跑出去又自己回来了（{turn}）";
                try
                {
                    using var response = await http.PostAsJsonAsync("/v1/chat/completions", new
                    {
                        model = "psylite",
                        conversation_id = $"talk{talker}",
                        turn_id = turn,
                        max_tokens = 4,
                        messages = new[] { new { role = "user", content = said } },
                    });
                    var body = await response.Content.ReadFromJsonAsync<JsonElement>();
                    Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                    _confirmed[turn] = (said, body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!);
                }
                catch (Exception fault) when (fault is HttpRequestException or IOException or JsonException)
                {
                    return;
                }
            }
        }

        /// <summary>Gives the number of turns that the kill caught half-way.</summary>
        private async Task<int> CheckAsync(string store, IReadOnlyList<KeyValuePair<string, (string Said, string Reply)>> confirmed)
        {
            IStoreBackend backend = PostgresBackend.IsMeant(store) ? new PostgresBackend(store) : new SqliteBackend(store, TimeProvider.System);
            var database = await StoreDatabase.OpenAsync(backend, KeySource.FromFile(keys), TimeProvider.System, default);
            Assert.Null(database.Notice);
            var conversations = new SqlConversationStore(database);
            var open = await conversations.Turns.RecoverAsync(TimeProvider.System.GetUtcNow().AddSeconds(1), default);
            var found = new Dictionary<string, (string Said, string? Reply)>();
            foreach (var summary in await conversations.ListAsync(LocalOwner.Id, 0, 100, default))
            {
                var stored = (await conversations.OpenAsync(LocalOwner.Id, summary.Id, default))!;
                Assert.Equal(Enumerable.Range(0, stored.Messages.Count), stored.Messages.Select(m => m.Ordinal));
                foreach (var turn in stored.Messages.GroupBy(m => m.TurnId))
                {
                    Assert.Equal([Author.Person, Author.Program], turn.Select(m => m.Author));
                    Assert.All(turn, m => Assert.True(m.Stage == MessageStage.Committed ? m.Body is not null : m is { Stage: MessageStage.Broken, Body: null }, $"{m.TurnId} is {m.Stage}"));
                    Assert.Contains($"（{turn.Key}）", turn.First().Body!.Text);
                    found.Add(turn.Key, (turn.First().Body!.Text, turn.Last().Body?.Text));
                }
            }

            foreach (var (turn, given) in confirmed)
            {
                Assert.True(found.TryGetValue(turn, out var kept), $"{turn} is lost");
                Assert.Equal(given.Said, kept.Said);
                Assert.StartsWith(kept.Reply!, given.Reply);
            }

            if (!PostgresBackend.IsMeant(store))
            {
                using var connection = new SqliteConnection($"Data Source={store};Pooling=False");
                connection.Open();
                using var check = connection.CreateCommand();
                check.CommandText = "PRAGMA integrity_check";
                Assert.Equal("ok", check.ExecuteScalar());
            }

            // Closing files drops the locks that idle connections of this process have on them; none may be left.
            SqliteConnection.ClearAllPools();
            return open;
        }

        private Process Start(Uri address)
        {
            var server = PsyliteProcess.Start(["serve", "--urls", address.ToString()], new Dictionary<string, string>
            {
                ["XDG_DATA_HOME"] = data,
                ["PSYLITE_STORE"] = store,
                ["PSYLITE_STORE_KEY_FILE"] = keys,
                ["PSYLITE_MODEL"] = "",
                ["DOTNET_TieredPGO"] = "0",
            });
            server.OutputDataReceived += (_, _) => { };
            server.ErrorDataReceived += (_, _) => { };
            server.BeginOutputReadLine();
            server.BeginErrorReadLine();
            return server;
        }

        private static async Task ListeningAsync(Process server, HttpClient http)
        {
            for (var patience = Stopwatch.StartNew(); patience.Elapsed < TimeSpan.FromSeconds(60) && !server.HasExited; await Task.Delay(20))
            {
                try
                {
                    if ((await http.GetAsync("/healthz")).IsSuccessStatusCode)
                    {
                        return;
                    }
                }
                catch (HttpRequestException)
                {
                    // Not listening yet.
                }
            }

            Assert.Fail("the server did not start.");
        }
    }
}
