using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Evaluation.Comparing;
using PsyLite.Evaluation.Counselling;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Tests.Evaluation;

/// <summary>What runs of every benchmark share: journal, seeds, statistics, comparison, and a real kill.</summary>
public sealed class RunTests : IDisposable
{
    private readonly Respondents _respondents = new();

    public void Dispose() => _respondents.Dispose();

    [Fact]
    public async Task A_journal_cut_in_the_middle_of_a_line_keeps_what_was_whole()
    {
        var path = Path.Combine(_respondents.Folder.FullName, "j.jsonl");
        using (var journal = Journal.Open(path))
        {
            foreach (var key in (string[])["a", "b", "c"])
            {
                await journal.FindOrAddAsync(key, () => Task.FromResult(new Answer($"答 {key}\n第二行")));
            }
        }

        var whole = await File.ReadAllBytesAsync(path);
        var random = new Random(1);
        for (var cut = 0; cut <= whole.Length; cut += 1 + random.Next(9))
        {
            await File.WriteAllBytesAsync(path, whole[..cut]);
            var lines = whole[..cut].Count(b => b == (byte)'\n');
            using (var journal = Journal.Open(path))
            {
                foreach (var key in (string[])["a", "b", "c"])
                {
                    Assert.Equal($"答 {key}\n第二行", (await journal.FindOrAddAsync(key, () => Task.FromResult(new Answer($"答 {key}\n第二行")))).Text);
                }

                Assert.Equal((lines, 3 - lines), (journal.Found, journal.Added));
            }

            using var again = Journal.Open(path);
            await again.FindOrAddAsync("c", () => throw new InvalidOperationException("It was there."));
        }
    }

    [Fact]
    public async Task Rubbish_in_a_journal_is_passed_over_and_two_runs_never_share_one()
    {
        var path = Path.Combine(_respondents.Folder.FullName, "j.jsonl");
        var random = new Random(5);
        for (var i = 0; i < 300; i++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            await File.WriteAllBytesAsync(path, [.. bytes, .. "\n{\"key\":\"k\",\"answer\":{\"text\":\"t\"}}\n{\"key\":null}\nnull\n"u8]);
            using var journal = Journal.Open(path);
            Assert.Equal("t", (await journal.FindOrAddAsync("k", () => throw new InvalidOperationException())).Text);
        }

        using var open = Journal.Open(path);
        Assert.Contains("another run", Assert.Throws<IOException>(() => Journal.Open(path)).Message);
    }

    [Fact]
    public async Task The_same_question_is_asked_once_and_its_seed_follows_from_it()
    {
        var asker = _respondents.Answering(_ => "好");
        IReadOnlyList<ChatMessage> question = [new(ChatRole.User, "一")];
        await asker.AskAsync(question, 0.7f, 10);
        await asker.AskAsync([new(ChatRole.User, "一")], 0.7f, 10);
        await asker.AskAsync(question, 0.7f, 10, attempt: 1);
        await asker.AskAsync([new(ChatRole.User, "二")], 0.7f, 10);
        await asker.AskAsync(question, 0.2f, 10);
        await asker.AskAsync([new(ChatRole.System, "一")], 0.7f, 10);
        Assert.Equal(5, _respondents.Asked.Count);
        Assert.Equal(5, _respondents.Asked.Select(a => a.Sampling.Seed).Distinct().Count());
        var other = _respondents.Answering(_ => "好", "other.jsonl");
        await other.AskAsync(question, 0.7f, 10);
        Assert.Equal(_respondents.Asked[0].Sampling.Seed, _respondents.Asked[^1].Sampling.Seed);
    }

    [Theory]
    [InlineData("<think>想</think>\n答", "\n答")]
    [InlineData("<THINK>想</THINK>答<think>又想", "答")]
    [InlineData("想</think>答", "答")]
    [InlineData("没有", "没有")]
    public void Reasoning_is_no_answer(string said, string rest) => Assert.Equal(rest, ReasoningText.Strip(said));

    [Fact]
    public void Intervals_hold_the_mean_of_most_samples_and_repeat()
    {
        var random = new Random(2);
        var held = 0;
        for (var trial = 0; trial < 200; trial++)
        {
            double[] units = [.. Enumerable.Range(0, 40).Select(_ => random.NextDouble())];
            var estimate = Bootstrap.Of(units, u => u.Average(), trial, 400);
            held += estimate.Low <= 0.5 && 0.5 <= estimate.High ? 1 : 0;
        }

        Assert.InRange(held, 180, 200);
        Assert.Equal(Bootstrap.Mean([1, 2, 3, 4], 9), Bootstrap.Mean([1, 2, 3, 4], 9));
        Assert.Equal(2.25, Bootstrap.MeanOfMeans([[1, 2], [3, 3, 3]], 1).Value);
        Assert.Equal(0, Bootstrap.Mean([], 1).Units);
    }

    [Fact]
    public void Paired_tests_count_sign_patterns()
    {
        // Five differences of one sign: only all plus and all minus reach the sum, 2 of 32.
        Assert.Equal(2.0 / 32, PairedTest.Of([.. Enumerable.Repeat((1.0, 1.0), 5)], 1).PValue, 12);
        Assert.Equal(1, PairedTest.Of([(1, 1), (-1, 1)], 1).PValue);
        Assert.Equal(1, PairedTest.Of([(0, 1), (0, 1)], 1).PValue);
        var many = PairedTest.Of([.. Enumerable.Range(0, 60).Select(i => (i % 3 == 0 ? -0.1 : 0.3, 1.0))], 1);
        Assert.InRange(many.PValue, 0, 0.001);
        Assert.Equal((60, 40, 20), (many.Pairs, many.Better, many.Worse));
        Assert.Equal((2 * 3 + 1 * 1) / 4.0, PairedTest.Of([(2, 3), (1, 1)], 1).Difference.Value);
    }

    [Fact]
    public void Agreement_is_that_of_worked_examples()
    {
        // Cohen's kappa: observed 0.7, by chance 0.5.
        List<(double, double)> pairs = [.. Enumerable.Repeat((1.0, 1.0), 20), .. Enumerable.Repeat((1.0, 0.0), 5), .. Enumerable.Repeat((0.0, 1.0), 10), .. Enumerable.Repeat((0.0, 0.0), 15)];
        Assert.Equal(0.4, Agreement.Kappa(pairs)!.Value, 10);
        Assert.Equal(0.4, Agreement.Kappa(pairs, RatingScale.Interval)!.Value, 10);
        Assert.Null(Agreement.Kappa([(1, 1), (1, 1)]));

        // Krippendorff's own example (Content analysis, reliability data with 12 units and 4 observers, values missing).
        double?[][] observers =
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, null, null, null], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, null, 3],
            [null, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, null], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, null],
        ];
        IReadOnlyList<IReadOnlyList<double>> units = [.. Enumerable.Range(0, 12).Select(u => (IReadOnlyList<double>)[.. observers.Select(o => o[u]).OfType<double>()])];
        Assert.Equal(0.743, Agreement.Alpha(units, RatingScale.Nominal)!.Value, 3);
        Assert.Equal(0.815, Agreement.Alpha(units, RatingScale.Ordinal)!.Value, 3);
        Assert.Equal(0.849, Agreement.Alpha(units)!.Value, 3);
        Assert.Null(Agreement.Alpha([[1, 1], [1, 1]]));
    }

    [Fact]
    public void Runs_are_compared_on_the_units_that_both_have()
    {
        var (a, b) = (Summary("a", ("1", 1), ("2", 2), ("3", 3), ("4", null)), Summary("b", ("1", 2), ("2", 3), ("3", 1), ("5", 1)));
        var comparison = RunComparison.Of([a, b]);
        var score = Assert.Single(comparison.Scores);
        Assert.Equal((3, 2, 1, 2), (score.Paired.Pairs, score.Paired.Better, score.Paired.Worse, score.LeftOut));
        Assert.Equal(0, score.Paired.Difference.Value, 12);
        Assert.Equal("3", Assert.Single(comparison.Worse).Id);
        var page = ComparisonPage.Write(comparison);
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotMatch("=\"[^\"]*(?:NaN|∞)", page);
        Assert.Throws<InvalidDataException>(() => RunComparison.Of([a, b with { Manifest = b.Manifest with { DataSha256 = "1" } }]));
        Assert.Contains(RunComparison.Of([a, b with { Manifest = b.Manifest with { Seed = 9 } }]).Remarks, r => r.Contains("seed"));
        var folder = _respondents.Folder.FullName;
        File.WriteAllText(Path.Combine(folder, "x.json"), "[1]");
        Assert.Throws<InvalidDataException>(() => RunComparison.ReadRun(folder));
        File.WriteAllText(Path.Combine(folder, "y.json"), ReportJson.Write(a));
        Assert.Equal(a.Items.Count, RunComparison.ReadRun(folder).Items.Count);
    }

    /// <summary>The program itself, killed outright while it asks and started again: the numbers are those of a run that nobody stopped.</summary>
    [Fact]
    public async Task A_run_that_is_killed_goes_on_and_gives_the_same_numbers()
    {
        var data = Path.Combine(ReferenceGraphTests.Root, "eval-sets", "cpsycoune");
        var small = Directory.CreateDirectory(Path.Combine(_respondents.Folder.FullName, "data", "Career"));
        foreach (var number in (string[])["1", "3"])
        {
            File.Copy(Path.Combine(data, "Career", $"{number}.json"), Path.Combine(small.FullName, $"{number}.json"));
        }

        // Stopped at two at once, finished at as many as there are: what is computed together must not matter.
        string[] Arguments(string target, params string[] more) =>
            ["eval", "cpsycoune", "--data", small.Parent!.FullName, "--prompt", "chat", "--max-tokens", "80", "--temperature", "0.7", "--out", target, .. more];
        var (whole, killed) = (Path.Combine(_respondents.Folder.FullName, "whole"), Path.Combine(_respondents.Folder.FullName, "killed"));
        async Task Finish(string target)
        {
            var (code, _, error) = await PsyliteProcess.RunAsync(Arguments(target));
            Assert.Equal((0, ""), (code, error));
        }

        await Finish(whole);
        var journal = Path.Combine(killed, "journal.jsonl");
        using (var process = PsyliteProcess.Start(Arguments(killed, "--parallel", "2")))
        {
            var patience = Stopwatch.StartNew();
            while (!(File.Exists(journal) && Lines(journal) >= 3))
            {
                Assert.True(patience.Elapsed < TimeSpan.FromMinutes(2) && !process.HasExited, "It was over before it could be killed.");
                await Task.Delay(1);
            }

            process.Kill();
            await process.WaitForExitAsync();
        }

        Assert.False(File.Exists(Path.Combine(killed, "cpsycoune.json")));
        var had = Lines(journal);
        Assert.InRange(had, 3, 13);
        await Finish(killed);
        var (first, second) = (Report(whole), Report(killed));
        Assert.Equal(had, second.Manifest.AnswersFound);
        Assert.Equal(14, second.Manifest.AnswersFound + second.Manifest.AnswersAdded);
        Assert.Equal(first.Turns.Select(t => t.Reply), second.Turns.Select(t => t.Reply));
        Assert.Equal(first.Figures, second.Figures);
    }

    private static CounsellingReport Report(string folder) => ReportJson.Read<CounsellingReport>(File.ReadAllText(Path.Combine(folder, "cpsycoune.json")))!;

    private static int Lines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd().Count(c => c == '\n');
    }

    private static RunSummary Summary(string name, params (string Id, double? Score)[] items) => new(
        Respondents.Manifest("test", name),
        [new Figure("score", "分", "Score", Bootstrap.Mean([.. items.Select(i => i.Score).OfType<double>()], 1), 3)],
        [.. items.Select(i => new ScoredItem(i.Id, "g", 0.25, i.Score is { } s ? new Dictionary<string, double> { ["score"] = s } : []))]);
}
