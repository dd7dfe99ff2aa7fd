using System.CommandLine;
using System.Globalization;
using PsyLite.Options;

namespace PsyLite.Commands.Bench;

/// <summary>
/// <c>psylite bench serve</c>: many people at once. First against a server of its own process with the configured model, as they would use it; then
/// against one whose engine answers at once, so that what is left is the server's own share of a turn.
/// </summary>
internal static class ServeBench
{
    /// <summary>Less than any model needs for a reply, in milliseconds.</summary>
    private const int EngineMs = 20;

    public static Command Create()
    {
        var users = new Option<int>("--users") { Description = "人数 · people", DefaultValueFactory = _ => 200 };
        var turns = new Option<int>("--turns") { Description = "每人几轮 · turns of each", DefaultValueFactory = _ => 3 };
        var rate = new Option<int>("--rate") { Description = "不计引擎时每秒几轮 · turns a second without the engine", DefaultValueFactory = _ => 40 };
        var model = new ModelOptions();
        var command = new Command("serve", "许多人同时使用 · many people at once\n  psylite bench serve --users 200") { users, turns, rate };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (people, each) = (parsed.GetValue(users), parsed.GetValue(turns));
            var report = await ServedCrowd.RunAsync(model.Read(parsed), people, each, cancellationToken);
            var name = string.Create(CultureInfo.InvariantCulture, $"{people} people, {each} turns each, recorded");
            new BenchLine("serve", $"{name}: turns", "turns", report.Turns, "turns").Print();
            new BenchLine("serve", $"{name}: errors", "errors", report.Errors, "turns").Print();
            new BenchLine("serve", $"{name}: of another's state", "mixed", report.Mixed, "turns").Print();
            new BenchLine("serve", $"{name}: turns a second", "turns/s", report.Turns / report.Seconds, "turns/s").Print();
            new BenchLine("serve", $"{name}: server's memory before", "rss", report.RestingBytes, "bytes").Print();
            new BenchLine("serve", $"{name}: server's memory at its peak", "peakRss", report.PeakBytes, "bytes").Print();
            foreach (var (engineMs, isRecorded) in new[] { (0, false), (0, true), (EngineMs, true) })
            {
                var times = await ServerShare.RunAsync(people, parsed.GetValue(rate), TimeSpan.FromMilliseconds(engineMs), isRecorded, cancellationToken);
                var engine = engineMs == 0 ? "an engine that takes no time" : $"besides an engine that takes {engineMs} ms";
                var what = string.Create(CultureInfo.InvariantCulture, $"{people} people, {parsed.GetValue(rate)} turns/s, {engine}, {(isRecorded ? "recorded" : "not recorded")}");
                new BenchLine("serve", what, "medianMs", BenchLine.Median(times), "ms").Print();
                new BenchLine("serve", what, "p95Ms", times.Order().ElementAt((int)(0.95 * times.Count)), "ms").Print();
                new BenchLine("serve", what, "p99Ms", times.Order().ElementAt((int)(0.99 * times.Count)), "ms").Print();
            }

            return report.Errors + report.Mixed == 0 ? CommandBoundary.Done : CommandBoundary.Failed;
        });
        return command;
    }
}
