using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PsyLite.Evaluation.Counselling;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;

namespace PsyLite.Tests.Evaluation;

/// <summary>The program itself with <c>--judge</c> at real addresses: two judges over HTTP, their agreement, and one whose answers can never be read.</summary>
public sealed class JudgeEndpointTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psylite-judge");
    private readonly ConcurrentQueue<(string Model, string Key, double Temperature, int Most, string Reply)> _asked = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Two_judges_over_http_are_read_and_held_against_each_other()
    {
        await using var server = await StartAsync();
        var address = server.Urls.First();
        var (code, said) = await RunAsync(2, ("k-judge", null), "--judge", $"{address}#strict", "--judge", $"{address}/v1#kind");
        Assert.True(code == 0, said);

        var report = Report();
        var replies = report.Turns.Select(t => t.Reply.Trim()).ToList();
        Assert.Equal(["strict", "kind"], report.Manifest.Judges.Select(j => j.Name));
        Assert.Equal([0, 0], report.Unread);
        Assert.All(_asked, a => Assert.Equal(("k-judge", 0.0, 1024), (a.Key, a.Temperature, a.Most)));
        Assert.Equal(replies.Distinct().Count(), _asked.Where(a => a.Model == "strict").Select(a => a.Reply).Distinct().Count());

        // The judges' own arithmetic is known, so their agreement is, too.
        var pairs = replies.Select(r => ((double)Score(r, "strict"), (double)Score(r, "kind"))).ToList();
        var professionalism = report.Agreement.Single(a => a.Metric == "professionalism");
        Assert.Equal(Agreement.Kappa(pairs), professionalism.Kappa);
        Assert.Equal(Agreement.Kappa(pairs, RatingScale.Interval), professionalism.WeightedKappa);
        Assert.Equal(Agreement.Alpha([.. pairs.Select(p => (IReadOnlyList<double>)[p.Item1, p.Item2])]), professionalism.AlphaInterval);
        Assert.Equal(1, report.Agreement.Single(a => a.Metric == "comprehensiveness").Kappa ?? 1);
        Assert.Contains("一致性", await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "run", "cpsycoune.html")));
    }

    [Fact]
    public async Task A_judge_that_takes_no_request_or_says_nothing_to_be_read_is_reported_and_a_busy_one_is_asked_again()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        var (code, said) = await RunAsync(1, ("k-first", "k-second"), "--judge", $"{first.Urls.First()}#busy", "--judge", $"{second.Urls.First()}/v1#refuses", "--judge", $"{second.Urls.First()}#babbles");
        Assert.True(code == 0, said);
        var report = Report();
        var turns = report.Turns.Count;
        Assert.Equal([0, turns, turns], report.Unread);
        Assert.Contains($"refuses：{turns} 条评分里有 {turns} 条读不出", said);
        Assert.All(report.Turns, t => Assert.Contains("refused", t.JudgeSaid[1]));
        Assert.All(report.Turns, t => Assert.Equal((1, 3), (t.Attempts[1], t.Attempts[2])));
        Assert.Equal((0, 3), (report.Agreement.Single(a => a is { Metric: "safety", Second: "refuses" }).Turns, report.Manifest.Judges[0].Attempts));

        // A host is shown its own key and no other one.
        Assert.Equal(["k-first"], _asked.Where(a => a.Model == "busy").Select(a => a.Key).Distinct());
        Assert.Equal(["k-second"], _asked.Where(a => a.Model != "busy").Select(a => a.Key).Distinct());

        // What was refused is asked again by the same command, what was read is not.
        _asked.Clear();
        (code, said) = await RunAsync(1, ("k-first", "k-second"), "--judge", $"{first.Urls.First()}#busy", "--judge", $"{second.Urls.First()}/v1#refuses", "--judge", $"{second.Urls.First()}#babbles");
        Assert.True(code == 0, said);
        Assert.Equal(["refuses"], _asked.Select(a => a.Model).Distinct());
    }

    [Fact]
    public async Task Nothing_to_be_read_at_all_still_gives_a_report_and_a_wrong_key_a_line_that_names_it()
    {
        await using var server = await StartAsync();
        var (code, said) = await RunAsync(1, ("k", null), "--judge", $"{server.Urls.First()}#babbles");
        Assert.True(code == 0, said);
        var report = Report();
        Assert.Equal(report.Turns.Count, report.Unread.Single());
        Assert.All(report.Figures, f => Assert.Equal(0, f.Estimate.Units));
        Assert.Contains("读不出的评分", await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "run", "cpsycoune.html")));

        (code, said) = await RunAsync(1, ("wrong", null), "--judge", $"{server.Urls.First()}#strict");
        Assert.Equal(1, code);
        Assert.Contains("PSYLITE_JUDGE_KEY", said);
    }

    private CounsellingReport Report() => ReportJson.Read<CounsellingReport>(File.ReadAllText(Path.Combine(_folder.FullName, "run", "cpsycoune.json")))!;

    /// <summary>The program over the first dialogues of a topic, with these keys.</summary>
    private async Task<(int Code, string Said)> RunAsync(int dialogues, (string First, string? Second) keys, params string[] judges)
    {
        var data = Directory.CreateDirectory(Path.Combine(_folder.FullName, "data", "Career"));
        foreach (var number in Enumerable.Range(1, dialogues))
        {
            File.Copy(Path.Combine(ReferenceGraphTests.Root, "eval-sets", "cpsycoune", "Career", $"{number}.json"), Path.Combine(data.FullName, $"{number}.json"), overwrite: true);
        }

        var start = new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "psylite.dll"), "eval", "cpsycoune", "--data", data.Parent!.FullName, "--prompt", "chat", "--max-tokens", "40",
            .. judges, "--out", Path.Combine(_folder.FullName, "run"),
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PSYLITE_JUDGE_KEY"] = keys.First;
        start.Environment["PSYLITE_SECOND_JUDGE_KEY"] = keys.Second;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return (process.ExitCode, await error + await output);
    }

    /// <summary>The kind judge gives one point more to every third reply, by length.</summary>
    private static int Score(string reply, string model) => Math.Min(3, (reply.Length % 3) + (model == "kind" && reply.Length % 3 == 0 ? 1 : 0));

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var busy = 1;
        app.Run(async context =>
        {
            if (context.Request.Headers.Authorization == "Bearer wrong")
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return;
            }

            if (context.Request.Path.Value!.EndsWith("/models", StringComparison.Ordinal))
            {
                await context.Response.WriteAsync("""{"object":"list","data":[{"id":"strict"},{"id":"kind"}]}""");
                return;
            }

            using var body = await JsonDocument.ParseAsync(context.Request.Body);
            var root = body.RootElement;
            var (model, reply) = (root.GetProperty("model").GetString()!, root.GetProperty("messages").EnumerateArray().Last().GetProperty("content").GetString()!.Trim());
            var most = root.TryGetProperty("max_tokens", out var old) ? old : root.GetProperty("max_completion_tokens");
            _asked.Enqueue((model, context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal), root.GetProperty("temperature").GetDouble(), most.GetInt32(), reply));
            if (model == "refuses" || (model == "busy" && Interlocked.Exchange(ref busy, 0) == 1))
            {
                context.Response.StatusCode = model == "busy" ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status400BadRequest;
                return;
            }

            var said = JsonSerializer.Serialize(model == "babbles" ? "说得真好。" : $"<think>[0, 0, 0, 0] 太低</think>\n[1, {Score(reply, model)}, 2, 1]");
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($"data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{said}}},\"finish_reason\":\"stop\"}}]}}\n\ndata: [DONE]\n\n", Encoding.UTF8);
        });
        await app.StartAsync();
        return app;
    }
}
