using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using PsyLite.Server;
using PsyLite.Server.Observability;
using PsyLite.Store.Conversations;
using PsyLite.Tests.Store;
using PsyLite.Web.Live;

namespace PsyLite.Tests.Server;

/// <summary>What the server tells about itself, and how it stops.</summary>
public sealed class OperationsTests
{
    private const string Secret = "周末去公园走了走，看见一棵石榴树";

    private static object Ask(string text, bool stream) => new { model = "psylite", stream, messages = new[] { new { role = "user", content = text } } };

    [Fact]
    public async Task Metrics_count_turns_by_route_and_tier_and_hold_no_text()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("听起来你很累。", "慢慢说。"));
        _ = await server.AskAsync(Secret);
        _ = await server.AskAsync("我不想活了，药已经买好了");
        _ = await server.ChatAsync(new { model = "x" });
        using var response = await server.Http.GetAsync("/metrics");
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Contains("psylite_turns_total{surface=\"openai\",route=\"Danger\",tier=\"T3\",end=\"preset\"} 1\n", text);
        Assert.Contains("route=\"Normal\"", text);
        Assert.Contains("psylite_stage_seconds_bucket{stage=\"first_token\",le=\"+Inf\"} 1\n", text);
        Assert.Contains("psylite_refused_requests_total{surface=\"openai\",code=\"invalid_request_error\"} 1\n", text);
        Assert.Contains("psylite_turns_open 0\n", text);
        Assert.Contains("psylite_model_ready 1\n", text);
        Assert.Matches("(?m)^process_resident_memory_bytes [1-9]", text);
        Assert.DoesNotContain("石榴", text);
        Assert.All(
            text.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Matches("^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\\{([a-z_]+=\"[^\"]*\",?)+\\})? -?[0-9.E+-]+)$", line));
    }

    [Fact]
    public async Task A_turn_is_traced_stage_by_stage_without_text()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Telemetry.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                lock (spans)
                {
                    spans.Add(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await RunningServer.StartAsync(new ScriptedChatClient(_ => ["听起来你很累。", "先从早睡开始，每天吃三十片安眠药就好。"]) { Pause = TimeSpan.FromMilliseconds(20) });

        // Servers of other tests run in this process and are heard too: the request's own trace tells this one's spans from theirs.
        using var asked = new Activity("asked").Start();
        _ = await server.AskAsync(Secret);
        List<Activity> mine = [];
        await WaitForAsync(() =>
        {
            lock (spans)
            {
                mine = [.. spans.Where(s => s.TraceId == asked.TraceId)];
            }

            return mine.Any(s => s.OperationName == "turn" && s.Tags.Any(t => t.Key == "psylite.tier"));
        });
        Assert.Superset(new HashSet<string> { "turn", "assess", "judge", "first token", "reply" }, mine.Select(s => s.OperationName).ToHashSet());
        Assert.All(mine.Where(s => s.OperationName != "turn"), s => Assert.True(s.Duration >= TimeSpan.Zero && s.ParentId is not null));
        Assert.DoesNotContain(mine.SelectMany(s => s.TagObjects).Select(t => t.Value?.ToString() ?? ""), v => v.Contains("石榴", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Traces_reach_a_collector_without_text()
    {
        var received = new ConcurrentQueue<(string Path, string Body)>();
        await using var collector = await LoopbackApp.StartAsync(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            received.Enqueue((http.Request.Path, Encoding.UTF8.GetString(body.ToArray())));
        });
        await using (var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("慢慢说。"), new ServerSetup { Options = o => o with { Traces = collector.Urls.First() } }))
        {
            _ = await server.AskAsync(Secret);
        }

        Assert.Contains(received, r => r.Path == "/v1/traces" && r.Body.Contains("first token", StringComparison.Ordinal));
        Assert.DoesNotContain(received, r => r.Body.Contains("石榴", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stopping_lets_a_short_turn_finish()
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("我在听你说，慢慢来。", 12)) { Pause = TimeSpan.FromMilliseconds(50) };
        await using var server = await RunningServer.StartAsync(model);
        var turn = server.StreamAsync(Ask("今天有点累", stream: true));
        await WaitForAsync(() => model.Calls > 0);
        await server.StopAsync();
        Assert.Equal("[DONE]", (await turn)[^1]);
    }

    /// <summary>Whoever shares out the requests learns that this server takes none, while it still finishes what it has.</summary>
    [Fact]
    public async Task A_server_that_stops_says_so_until_its_turns_are_over()
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("我在听你说，慢慢来。", 40)) { Pause = TimeSpan.FromMilliseconds(50) };
        await using var server = await RunningServer.StartAsync(model);
        var turn = server.StreamAsync(Ask("今天有点累", stream: true));
        await WaitForAsync(() => model.Calls > 0);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "/readyz")).Status);
        var stopped = server.StopAsync();
        using var newcomer = new HttpClient { BaseAddress = new Uri(server.Address) };
        using var ready = await newcomer.GetAsync("/readyz");
        Assert.Equal(503, (int)ready.StatusCode);
        Assert.Contains("stopping", await ready.Content.ReadAsStringAsync());
        using var refused = await newcomer.PostAsJsonAsync("/v1/chat/completions", Ask("你好", stream: false));
        Assert.Equal(503, (int)refused.StatusCode);
        Assert.True(refused.Headers.RetryAfter is not null);
        Assert.False(stopped.IsCompleted);
        Assert.Equal("[DONE]", (await turn)[^1]);
        await stopped;
    }

    /// <summary>No request waits for a turn of a page: its browser may be closed. The server does.</summary>
    [Fact]
    public async Task Stopping_lets_a_turn_of_a_page_finish_and_be_written()
    {
        using var folder = new TemporaryFolder();
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("我在听你说，慢慢来。", 12)) { Pause = TimeSpan.FromMilliseconds(50) };
        string id;
        await using (var server = await RunningServer.StartAsync(model, new ServerSetup { HasStore = true, Store = folder["psylite.db"] }))
        {
            var live = server.Services.GetRequiredService<LiveConversations>().Start("local", new PersonSettings(), isTemporary: false);
            id = live.Id;
            Assert.True(live.Send("今天有点累"));
            await WaitForAsync(() => model.Calls > 0);
        }

        var store = await Stores.SqliteAsync(folder["psylite.db"], TimeProvider.System);
        var stored = (await store.OpenAsync("local", id, default))!;
        Assert.Equal(string.Concat(Enumerable.Repeat("我在听你说，慢慢来。", 12)), stored.Messages[^1].Body?.Text);
    }

    [Fact]
    public async Task Stopping_marks_a_turn_that_takes_too_long()
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("我在听你说，慢慢来。", 10_000)) { Pause = TimeSpan.FromMilliseconds(20) };
        await using var server = await RunningServer.StartAsync(model, new ServerSetup { Limits = new ServerLimits { Grace = TimeSpan.FromMilliseconds(300) } });
        var turn = server.StreamAsync(Ask("今天有点累", stream: true));
        var whole = server.Http.PostAsJsonAsync("/v1/chat/completions", Ask("今天有点累", stream: false));
        await WaitForAsync(() => model.Calls > 1);
        await server.StopAsync();
        Assert.Contains("reply_interrupted", (await turn)[^1]);
        Assert.Equal(503, (int)(await whole).StatusCode);
        await model.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_slow_model_is_waited_for_with_signs_of_life()
    {
        var model = new ScriptedChatClient(_ => ["听起来你很累。"]) { Pause = TimeSpan.FromMilliseconds(500) };
        var limits = new ServerLimits { FirstSign = TimeSpan.FromMilliseconds(20), Heartbeat = TimeSpan.FromMilliseconds(50) };
        await using var server = await RunningServer.StartAsync(model, new ServerSetup { Limits = limits });
        using var sse = await server.Http.PostAsJsonAsync("/v1/chat/completions", Ask("今天有点累", stream: true));
        Assert.True((await sse.Content.ReadAsStringAsync()).Split(": ping\n\n").Length > 3);
        using var lines = await server.Http.PostAsJsonAsync("/api/chat", Ask("今天有点累", stream: true));
        Assert.True((await lines.Content.ReadAsStringAsync()).Split('\n').Count(l => l.Contains("\"content\":\"\"", StringComparison.Ordinal)) > 3);
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        for (var patience = Stopwatch.StartNew(); !condition(); await Task.Delay(5))
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(20));
        }
    }
}
