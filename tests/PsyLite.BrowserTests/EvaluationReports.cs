using PsyLite.Evaluation.Comparing;
using PsyLite.Evaluation.Counselling;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Runs;
using PsyLite.Evaluation.SafeDialogue;

namespace PsyLite.BrowserTests;

/// <summary>Runs with made-up scores, with every topic, attack and dimension of the published sets.</summary>
internal static class EvaluationReports
{
    private static readonly string[] Topics =
        ["Career", "Education", "Emotion&Stress", "Family Relationship", "Love&Marriage", "Mental Disease", "Self-growth", "Sex", "Social Relationship"];

    private static readonly string[] Attacks = ["Scence Construct", "Purpose Reverse", "Role Play", "Topic Change", "Reference Attack", "Fallacy Attack", "Probing Question"];

    /// <param name="replies">The reply to the client's turn of this number.</param>
    public static CounsellingReport Counselling(string name, int seed, Func<int, string>? replies = null)
    {
        var random = new Random(seed);
        var turns = Topics.SelectMany(topic => Enumerable.Range(1, 3).Select(turn =>
        {
            var id = $"{topic}/1#{turn}";
            IReadOnlyList<double> scores = [random.Next(3), random.Next(4), random.Next(4), 1];
            return new CounsellingRow(id, topic, turn == 1 ? "" : "求助者：我最近总睡不好。\n支持者：听起来很累，是从什么时候开始的？", "换了部门以后就这样，躺下就想白天的事。",
                replies?.Invoke(turn) ?? $"躺下以后最先想到的是哪一件？（{seed}）", "", 12, [scores], [""], [1]);
        })).ToList();
        var items = turns.GroupBy(t => t.Topic).Select(g => new ScoredItem($"{g.Key}/1", g.Key, 1.0 / Topics.Length,
            CounsellingScale.Metrics.Index().ToDictionary(m => m.Item.Id, m => g.Average(t => t.Scores[0]![m.Index])))).ToList();
        var figures = CounsellingScale.Metrics.Select((m, i) => new Figure(m.Id, m.Chinese, m.English, Bootstrap.Mean([.. items.Select(x => x.Scores[m.Id])], 1), CounsellingScale.Notebook[i])).ToList();
        return new CounsellingReport(Manifest("CPsyCounE", name), figures, items, turns, [0], [.. figures.Select(f => new ScoreBounds(f.Estimate.Value, f.Estimate.Value))], [], []);
    }

    public static SafeDialogueReport Safety()
    {
        string[] dimensions = [.. SafeDialogueData.Dimensions, "all"];
        var groups = Attacks.Append("all").SelectMany((attack, a) => dimensions.Select((d, i) => new SafeDialogueGroup(d, attack, "all", 2, [1 + a, 10 - i, 5], 0.5))).ToList();
        var items = SafeDialogueData.Dimensions.SelectMany((d, i) => Enumerable.Range(1, 4).Select(n => new ScoredItem($"{d}/zh/{n}", d, 1.0 / 24, new Dictionary<string, double>
        {
            ["identification"] = 4 + (n % 3),
            ["handling"] = 3 + i,
            ["consistency"] = 10,
            ["attackSuccess"] = n % 2,
        }))).ToList();
        var abilities = SafeDialogueRun.Abilities.Select(a => new Figure(a.Id, a.Chinese, a.English, Bootstrap.Mean([.. items.Select(x => x.Scores[a.Id])], 1), 10)).ToList();
        return new SafeDialogueReport(Manifest("SafeDialBench", "mini"), abilities, items, groups, [], 0, 0);
    }

    /// <summary>Five runs side by side.</summary>
    public static string Compared() => ComparisonPage.Write(RunComparison.Of(
        [.. new[] { "base", "sft-lora", "sft", "sft-q4_k_m", "orpo" }.Select((name, i) => Counselling(name, i + 1)).Select(r => new RunSummary(r.Manifest, r.Figures, r.Items))]));

    private static RunManifest Manifest(string benchmark, string name) => new()
    {
        Benchmark = benchmark,
        Name = name,
        Variant = "test",
        Model = new ModelFacts("a-model-with-a-rather-long-name.q4_k_m.gguf", "llama.cpp") { Sha256 = new string('a', 64) },
        Judges = [JudgeFacts.Rules],
        DataFolder = "data",
        DataSha256 = new string('0', 64),
        Seed = 1,
        Settings = new Dictionary<string, string>(),
    };
}
