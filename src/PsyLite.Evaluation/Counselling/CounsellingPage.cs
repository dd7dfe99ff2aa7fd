using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Counselling;

/// <summary>A run on CPsyCounE as a page.</summary>
internal static class CounsellingPage
{
    private const int LongestSaid = 300;

    public static string Write(CounsellingReport report)
    {
        var manifest = report.Manifest;
        var unread = report.Unread[0];
        var note = Markup.Join(
        [
            RunParts.RulesNote(manifest),
            Page.Note($"{report.Items.Count} 段对话，{report.Turns.Count} 个来访者轮次，每轮都接在原谈话之后。空回应 {report.Empty} 轮；评分读不出的 {unread} 轮：重问过，保留并计入；共有 {report.AskedAgain} 轮问了不止一次。",
                $"{report.Items.Count} dialogues, {report.Turns.Count} client turns, each after the dialogue as it was held. Empty replies: {report.Empty}. Verdicts that could not be read: {unread}; asked again, kept and counted. Asked more than once: {report.AskedAgain}."),
        ]);
        return Page.Of($"PsyLite CPsyCounE · {manifest.Name}", RunParts.Lead("CPsyCounE", "Counselling, turn by turn", manifest, report.Figures, note),
        [
            Page.Section("topics", "主题", "Topics", Topics(report)),
            Page.Section("turns", "第几轮", "Turn by turn", ByTurn(report)),
            report.Agreement.Count == 0 ? Markup.None : Page.Section("agreement", "评分者一致性", "Agreement of judges",
                Page.Note("kappa 与 alpha：1 完全一致，0 与随机无异；「–」表示某一方所有轮次给了同一个分数。", "Kappa and alpha: 1 is full agreement, 0 is chance; “–” where one side gave every turn the same score."),
                Agreement(report.Agreement), Others(report)),
            unread == 0 ? Markup.None : Page.Section("unread", "读不出的评分", "Verdicts that could not be read",
                Page.Note("每项均分若把读不出的都按最低或最高计。下面是评分者最后说的话。", "Each mean if all that could not be read were the lowest, or the highest. Below is what the judge said last."),
                Bounds(report), Markup.Of($"""<ol class="examples">{report.UnreadTurns.Select(Said)}</ol>""")),
            Page.Section("worst", "得分最低的回应", "Worst replies", Markup.Of($"""<ol class="examples">{report.Worst.Select(One)}</ol>""")),
            Page.Section("manifest", "可重复所需", "What it takes to repeat", RunParts.Manifest(manifest)),
        ]).Value;
    }

    public static Markup Agreement(IReadOnlyList<JudgeAgreement> rows) => Table.Of(
        ["", "n", "kappa", "kappa（平方权重 quadratic）", "alpha（次序 ordinal）", "alpha（间隔 interval）"],
        rows.Select(a => (IReadOnlyList<Cell>)
        [
            Markup.Of($"{CounsellingScale.Metrics.Single(m => m.Id == a.Metric).Chinese} <span>{a.First} / {a.Second}</span>"), a.Turns,
            Words.Decimal(a.Kappa), Words.Decimal(a.WeightedKappa), Words.Decimal(a.AlphaOrdinal), Words.Decimal(a.AlphaInterval),
        ]), "wide");

    private static Markup Topics(CounsellingReport report)
    {
        var groups = report.Turns.GroupBy(t => t.Topic).Select(g => (Topic: g.Key, Turns: g.Count(), Scores: g.Select(t => t.Scores[0]).OfType<IReadOnlyList<double>>().ToList())).ToList();
        var scored = groups.Where(g => g.Scores.Count > 0).ToList();
        var table = Table.Of(["主题 topic", "n", .. CounsellingScale.Metrics.Select(m => m.Chinese)], groups.Select(g => (IReadOnlyList<Cell>)
            [g.Topic, g.Turns, .. CounsellingScale.Metrics.Select((_, i) => (Cell)(g.Scores.Count == 0 ? "–" : Words.Value(g.Scores.Average(s => s[i]), false)))]));
        if (scored.Count < RadarChart.FewestAxes)
        {
            return table;
        }

        var most = report.Figures.Select(f => f.Most).ToList();
        var radar = RadarChart.Draw("各主题得分占满分的比例 share of the highest score by topic", [.. scored.Select(g => g.Topic)],
            [.. CounsellingScale.Metrics.Select((m, i) => ($"{m.Chinese} {m.English}", (IReadOnlyList<double>)[.. scored.Select(g => g.Scores.Average(s => s[i]) / most[i])]))]);
        return Page.Columns(
            Page.Figure("占满分的比例", "Share of the highest score", radar, Page.Legend([.. CounsellingScale.Metrics.Select(m => $"{m.Chinese} {m.English}")])),
            table);
    }

    private static Markup ByTurn(CounsellingReport report) => Table.Of(["轮 turn", "n", .. CounsellingScale.Metrics.Select(m => $"{m.Chinese} {m.English}")],
        report.Turns.GroupBy(t => int.Parse(t.Id[(t.Id.LastIndexOf('#') + 1)..], System.Globalization.CultureInfo.InvariantCulture)).OrderBy(g => g.Key).Select(g =>
        {
            var scores = g.Select(t => t.Scores[0]).OfType<IReadOnlyList<double>>().ToList();
            return (IReadOnlyList<Cell>)[$"{g.Key}", g.Count(), .. CounsellingScale.Metrics.Select((_, i) => (Cell)(scores.Count == 0 ? "–" : Words.Value(scores.Average(s => s[i]), false)))];
        }));

    private static Markup Others(CounsellingReport report) => Table.Of(["评分者 judge", .. CounsellingScale.Metrics.Select(m => m.Chinese), "读不出 unread"],
        report.OtherJudges.Prepend(report.Figures).Select((figures, judge) => (IReadOnlyList<Cell>)
            [report.Manifest.Judges[judge].Name, .. figures.Select(f => (Cell)Words.Value(f.Estimate, false)), Cell.Faults(report.Unread[judge])]));

    private static Markup Bounds(CounsellingReport report) => Table.Of(["", "全按最低 if all lowest", "全按最高 if all highest"],
        CounsellingScale.Metrics.Select((m, i) => (IReadOnlyList<Cell>)[m.Chinese, Words.Value(report.Bounds[i].Low, false), Words.Value(report.Bounds[i].High, false)]));

    private static Markup Said(CounsellingRow row) => Markup.Of($"""
        <li><p class="reply">{(row.JudgeSaid[0].Length == 0 ? "（空 empty）" : row.JudgeSaid[0].Length > LongestSaid ? row.JudgeSaid[0][..LongestSaid] + "…" : row.JudgeSaid[0])}</p>
        <p class="meta">{row.Id} · 问了 asked {row.Attempts[0]} 次 times</p></li>

        """);

    private static Markup One(CounsellingRow row) => Markup.Of($"""
        <li>{row.History.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(2).Select(l => Markup.Of($"""<p class="said">{l}</p>"""))}<p>{CounsellingData.Client}{row.Query}</p>
        <p class="reply">{row.Reply}</p>
        <p class="meta"><span class="tiers">{(row.Scores[0] is { } s ? string.Join(" / ", s) : "读不出 unread")}</span> · {row.Id}{(row.Note.Length > 0 ? " · " + row.Note : "")}</p></li>

        """);
}
