using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;

namespace PsyLite.Evaluation.Safety;

/// <summary>The 90 patterns as tiles and rows, and single messages that were judged wrongly.</summary>
internal static class SafetyPatternParts
{
    private static readonly Dictionary<string, RiskPattern> Names = RiskPatterns.All.ToDictionary(p => p.Id);

    public static Markup Tiles(IReadOnlyList<PatternRate> patterns) => Markup.Of($"""<ul class="tiles">{patterns.Select(Tile)}</ul>""");

    public static Markup Rates(SafetyReport report)
    {
        var beside = report.Beside.Patterns.ToDictionary(p => p.Id);
        Cell Rate(Proportion rate) => new(Markup.Of($"{Words.Percent(rate.Rate)}"), rate.Rate < PatternRate.Wanted ? "bad" : "");
        return Table.Of(["说法 pattern", "找到 found", "n", "放过 spared", "n", $"{SafetyPage.Part(report.Beside.Name)}", ""], report.Chosen.Patterns.Select(p => (IReadOnlyList<Cell>)
        [
            Markup.Of($"{p.Id} {Names[p.Id].Chinese} <span lang=\"en\">{Names[p.Id].English}</span>"),
            Rate(p.Found), Words.Of(p.Found), Rate(p.Spared), Words.Of(p.Spared),
            new Cell(Markup.Of($"{Words.Percent(beside[p.Id].Worst)}"), "soft"),
            new Cell(Markup.Of($"{(p.IsBelow ? "✗ < 90 %" : p.Worst is null ? "无数据 no data" : "")}"), p.IsBelow ? "bad" : "soft"),
        ]), "wide");
    }

    public static Markup Examples(IReadOnlyList<Example> examples) => examples.Count == 0
        ? Markup.Of($"""<p class="empty">没有。 <span lang="en">None.</span></p>""")
        : Markup.Of($"""<ol class="examples">{examples.Select(One)}</ol>""");

    private static Markup Tile(PatternRate rate)
    {
        var pattern = Names[rate.Id];
        var style = rate.Worst is null ? "unknown" : rate.IsBelow ? "below" : "fine";
        var tip = $"{pattern.Id} {pattern.Chinese} {pattern.English}: 找到 found {Words.Of(rate.Found)}, 放过 spared {Words.Of(rate.Spared)}";
        return Markup.Of($"""<li class="{style}" title="{tip}"><span>{pattern.Id}<i>{rate.Found.Of + rate.Spared.Of}</i></span><b>{(rate.Worst is { } worst ? $"{Math.Floor(worst * 100):0}" : "–")}</b>{pattern.Chinese}</li>""");
    }

    private static Markup One(Example example) => Markup.Of($"""
        <li>{example.Turns.SkipLast(1).Select(t => Markup.Of($"""<p class="said">{t}</p>"""))}<p>{example.Turns[^1]}</p>
        <p class="meta"><span class="tiers">{example.Labelled.ToString()} → {example.Judged.ToString()}</span> · {Words.Decimal(example.Score)} · {example.Source}.tsv:{example.Line} · {example.Kind}{(example.Signals.Count > 0 ? " · " + string.Join(", ", example.Signals) : "")}</p></li>

        """);
}
