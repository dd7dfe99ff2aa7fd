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
        var data = Directory.CreateDirectory(Path.Combine(_folder.FullName, "data", "Career"));
        foreach (var number in (string[])["1", "2"])
        {
            File.Copy(Path.Combine(ReferenceGraphTests.Root, "eval-sets", "cpsycoune", "Career", $"{number}.json"), Path.Combine(data.FullName, $"{number}.json"));
        }

        var address = server.Urls.First();
        var start = new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "psylite.dll"), "eval", "cpsycoune", "--data", data.Parent!.FullName, "--prompt", "chat", "--max-tokens", "40",
            "--judge", $"{address}#strict", "--judge", $"{address}#kind", "--out", Path.Combine(_folder.FullName, "run"),
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PSYLITE_JUDGE_KEY"] = "k-judge";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        Assert.True(process.ExitCode == 0, await error + await output);

        var report = ReportJson.Read<CounsellingReport>(await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "run", "cpsycoune.json")))!;
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

    /// <summary>The kind judge gives one point more to every third reply, by length.</summary>
    private static int Score(string reply, string model) => Math.Min(3, (reply.Length % 3) + (model == "kind" && reply.Length % 3 == 0 ? 1 : 0));

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(async context =>
        {
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
            var said = JsonSerializer.Serialize($"<think>[0, 0, 0, 0] 太低</think>\n[1, {Score(reply, model)}, 2, 1]");
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($"data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{said}}},\"finish_reason\":\"stop\"}}]}}\n\ndata: [DONE]\n\n", Encoding.UTF8);
        });
        await app.StartAsync();
        return app;
    }
}
