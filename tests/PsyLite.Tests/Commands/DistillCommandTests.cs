using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using PsyLite.Tests.DataPipeline;
using PsyLite.Tests.Store;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Synthetic;

namespace PsyLite.Tests.Commands;

/// <summary>What <c>psylite data distill</c> may cost, as a process against a teacher that counts: told before, and never exceeded by more than what is under way.</summary>
public sealed partial class DistillCommandTests : IDisposable
{
    private const int Turns = 40;
    private readonly TemporaryFolder _folder = new();

    public DistillCommandTests() =>
        new SourceGenerator(TextCorpus.Read(Path.Combine(ReferenceGraphTests.Root, "corpora"))).Write(SyntheticKind.CPsyCoun, Turns, 5, _folder["cp.json"], default);

    public void Dispose() => _folder.Dispose();

    private Process Start(FaultyTeacher teacher, params string[] more) => Process.Start(new ProcessStartInfo("dotnet",
    [
        Path.Combine(AppContext.BaseDirectory, "psylite.dll"), "data", "distill", _folder["cp.json"], "--endpoint", teacher.Address.ToString(), "--model", "teacher",
        "--concurrency", "2", "--out", _folder["a.jsonl"], .. more,
    ])
    { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private async Task<(int Code, string Out, string Error)> RunAsync(FaultyTeacher teacher, params string[] more)
    {
        using var process = Start(teacher, more);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return (process.ExitCode, await output, await error);
    }

    private static (long Turns, long OnRecord, long Input, long Output, double Cost) Estimate(string line)
    {
        var found = Told().Match(line);
        Assert.True(found.Success, line);
        long Whole(string name) => long.Parse(found.Groups[name].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        return (Whole("turns"), Whole("known"), Whole("in"), Whole("out"), double.Parse(found.Groups["cost"].Value, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_dry_run_tells_the_cost_and_visits_nobody()
    {
        await using var teacher = await FaultyTeacher.StartAsync();
        var (code, output, error) = await RunAsync(teacher, "--price-in", "1000", "--price-out", "5000", "--dry-run");
        var alone = Estimate(error);
        Assert.Equal((0, "", 0), (code, output, teacher.Visits));
        Assert.Equal((Turns, 0, Turns * 400), (alone.Turns, alone.OnRecord, alone.Output));
        Assert.Equal(((alone.Input * 1000) + (alone.Output * 5000)) / 1e6, alone.Cost, 2);
        Assert.InRange(alone.Input / Turns, 100, 3000);
        Assert.False(File.Exists(_folder["a.jsonl"]) || File.Exists(_folder["a.jsonl.report.json"]));

        // A second teacher reads each reasoning and answers with a word.
        var both = Estimate((await RunAsync(teacher, "--price-in", "1000", "--price-out", "5000", "--check-endpoint", teacher.Address.ToString(), "--check-model", "d", "--check-price-in", "2000", "--dry-run")).Error);
        Assert.Equal(0, teacher.Visits);
        Assert.Equal((both.Input - alone.Input) * 2000 / 1e6, both.Cost - alone.Cost, 2);
        Assert.InRange(both.Input - alone.Input, Turns * 450, Turns * 1500);
    }

    [Fact]
    public async Task The_estimate_stands_there_before_anything_is_answered()
    {
        await using var teacher = await FaultyTeacher.StartAsync();
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        teacher.Hold = hold.Task;
        using var process = Start(teacher, "--rows", "4");
        var output = process.StandardOutput.ReadToEndAsync();
        var first = await process.StandardError.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((4, 0), (Estimate(first!).Turns, teacher.Bills.Count));
        hold.SetResult();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((0, 4), (process.ExitCode, JsonSerializer.Deserialize<JsonElement>(await output).GetProperty("turns").GetInt32()));
    }

    [Fact]
    public async Task Money_runs_out_cleanly_and_more_of_it_goes_on()
    {
        await using var teacher = await FaultyTeacher.StartAsync();
        teacher.BadRate = 0;
        const double EachAnswer = 0.002;
        var (code, output, error) = await RunAsync(teacher, "--price-in", "10", "--price-out", "20", "--max-cost", "0.02");
        var report = JsonSerializer.Deserialize<JsonElement>(output);
        Assert.Equal((1, "the budget is used up"), (code, report.GetProperty("stopped").GetString()));
        Assert.InRange(report.GetProperty("cost").GetDouble(), 10 * EachAnswer, 12 * EachAnswer);
        Assert.Equal(report.GetProperty("cost").GetDouble(), teacher.Requests * EachAnswer, 4);
        Assert.Equal(Turns - teacher.Requests, report.GetProperty("unanswered").GetInt32());
        Assert.Contains("run the same command again", error);
        Assert.False(File.Exists(_folder["a.jsonl"]));

        var paid = teacher.Requests;
        var (again, rest, told) = await RunAsync(teacher, "--price-in", "10", "--price-out", "20", "--max-cost", "5");
        Assert.Equal((0, paid, (Turns - paid) * 400), (again, Estimate(told).OnRecord, Estimate(told).Output));
        Assert.Equal((Turns, Turns, 0), (File.ReadLines(_folder["a.jsonl"]).Count(), teacher.Requests, JsonSerializer.Deserialize<JsonElement>(rest).GetProperty("unanswered").GetInt32()));
        Assert.All(teacher.Bills.Values, b => Assert.Equal(1, b));
        Assert.Contains("--price-in", (await RunAsync(teacher, "--max-cost", "5")).Error);
    }

    [GeneratedRegex(@"(?<turns>[\d,]+) 轮 turns \((?<known>[\d,]+) 已有答案.*~(?<in>[\d,]+) \+ ~(?<out>[\d,]+) 词元 tokens, ~(?<cost>[\d.]+) 费用")]
    private static partial Regex Told();
}
