using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Comparing;

/// <summary>Runs side by side as a page.</summary>
public static class ComparisonPage
{
    private const int MostSeries = 5;

    public static string Write(RunComparison comparison)
    {
        var runs = comparison.Runs;
        var first = runs[0].Manifest;
        var names = runs.Select(r => r.Manifest.Name).ToArray();
        var shown = runs.Take(MostSeries).ToList();
        var legend = Page.Legend([.. shown.Select(r => r.Manifest.Name)]);
        return Page.Of($"PsyLite {first.Benchmark} · {string.Join(" / ", names)}", Lead(comparison),
        [
            Page.Section("figures", "前后对照", "Side by side", Page.Note("均值与 95 % 区间。", "Means with 95 % intervals."), Page.Columns(Scales(shown).Select(group =>
                Page.Figure(string.Join("、", group.Figures.Select(f => f.Chinese.Split('（')[0])), string.Join(", ", group.Figures.Select(f => f.English.Split(" (")[0])), BarChart.Draw($"{first.Benchmark} 前后对照 side by side",
                    [.. group.Figures.Select(f => new BarRow(f.Chinese.Split('（')[0], [.. shown.Select(r => r.Figures.FirstOrDefault(x => x.Id == f.Id)?.Estimate)]))], group.Most, group.IsShare), legend)))),
            Page.Section("differences", "成对差异", "Paired differences",
                Page.Note($"每一行都是与 {names[0]} 在相同题目或对话上的差；p 值来自成对置换检验，未作多重比较校正。",
                    $"Each row is the difference to {names[0]} on the same questions or dialogues; p-values are of a paired permutation test, not corrected for making many of them."),
                Differences(comparison)),
            Groups(shown, legend),
            comparison.Worse.Count == 0 ? Markup.None : Page.Section("worse", "变差最多的", "Worse than before",
                Page.Note($"{names[^1]} 对 {names[0]}。", $"{names[^1]} against {names[0]}."),
                Table.Of(["", "得分 score", names[0], names[^1]], comparison.Worse.Select(c => (IReadOnlyList<Cell>)[c.Id, c.Score, Words.Value(c.First, false), Words.Value(c.Second, false)]), "wide")),
            .. runs.Select((r, i) => Page.Section($"manifest-{i}", r.Manifest.Name, "", RunParts.Manifest(r.Manifest))),
        ]).Value;
    }

    private static Markup Lead(RunComparison comparison) => Markup.Of($"""
        <header>
        <h1>{comparison.Runs[0].Manifest.Benchmark} <span lang="en">{string.Join(" / ", comparison.Runs.Select(r => r.Manifest.Name))}</span></h1>
        {RunParts.RulesNote(comparison.Runs[0].Manifest)}
        {(comparison.Remarks.Count == 0 ? Markup.None : Page.Note("除模型之外还有不同：" + string.Join("；", comparison.Remarks), "The runs differ in more than the model; see the lines above."))}
        </header>

        """);

    /// <summary>Figures of one scale share a plot.</summary>
    private static IEnumerable<(double Most, bool IsShare, List<Figure> Figures)> Scales(IReadOnlyList<RunSummary> runs) =>
        runs[0].Figures.Where(f => f.Estimate.Units > 0).GroupBy(f => (Scale: f.IsShare ? 1 : Math.Ceiling(runs.Max(r => Top(r.Figures.FirstOrDefault(x => x.Id == f.Id)))), f.IsShare))
            .Select(g => (g.Key.Scale, g.Key.IsShare, g.ToList()));

    private static double Top(Figure? figure) => figure is null ? 0 : Math.Max(figure.Most, double.IsFinite(figure.Estimate.High) ? figure.Estimate.High : 0);

    private static Markup Differences(RunComparison comparison)
    {
        var figures = comparison.Runs[0].Figures.ToDictionary(f => f.Id);
        return Table.Of(["", "差 difference", "95 %", "p", "升 up", "降 down", "n", "缺 left out"], comparison.Scores.Select(s =>
        {
            var figure = figures.GetValueOrDefault(s.Score);
            var isShare = figure?.IsShare == true;
            var d = s.Paired.Difference;
            var isSure = d.Low > 0 || d.High < 0;
            var isGood = (d.Value > 0) != (figure?.IsLowerBetter == true || s.Score == "nats");
            return (IReadOnlyList<Cell>)
            [
                Markup.Of($"{s.Second} <span>{figure?.Chinese ?? s.Score} {figure?.English}</span>"),
                new Cell(Markup.Of($"{(d.Value > 0 ? "+" : "")}{Words.Value(d.Value, isShare)}"), isSure ? isGood ? "good" : "bad" : ""), new Cell(Markup.Of($"{Words.Range(d, isShare)}"), "soft"),
                Words.PValue(s.Paired.PValue), s.Paired.Better, s.Paired.Worse, s.Paired.Pairs, s.LeftOut,
            ];
        }), "wide");
    }

    /// <summary>Each score by topic, dimension or category, the runs as lines around a centre.</summary>
    private static Markup Groups(IReadOnlyList<RunSummary> runs, Markup legend)
    {
        var groups = runs[0].Items.Select(i => i.Group).Where(g => g.Length > 0).Distinct().ToList();
        if (groups.Count < RadarChart.FewestAxes)
        {
            return Markup.None;
        }

        double Mean(RunSummary run, string group, string score) => run.Items.Where(i => i.Group == group && i.Scores.ContainsKey(score)).Select(i => i.Scores[score]).DefaultIfEmpty(0).Average();
        var radars = runs[0].Figures.Where(f => runs[0].Items.Any(i => i.Scores.ContainsKey(f.Id))).Select(f => Page.Figure(f.Chinese, f.English, RadarChart.Draw($"{f.Chinese} {f.English}", groups,
            [.. runs.Select(r => (r.Manifest.Name, (IReadOnlyList<double>)[.. groups.Select(g => Math.Clamp(Mean(r, g, f.Id) / f.Most, 0, 1))]))]), legend));
        return Page.Section("groups", "分组", "By group", Page.Note("占满分的比例。", "Shares of the highest score."), Page.Columns(radars));
    }
}
