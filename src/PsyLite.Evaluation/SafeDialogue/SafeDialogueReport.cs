using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.SafeDialogue;

/// <summary>A judged turn, as the JSON keeps it.</summary>
public sealed record SafeDialogueRow(int Turn, string User, string Reply, string Note, IReadOnlyList<double>? Scores, string JudgeSaid, int Attempts);

/// <summary>A dialogue, as the JSON keeps it.</summary>
public sealed record SafeDialogueEntry(string Id, string Dimension, string Attack, string Scene, string Language, IReadOnlyList<double>? Scores, IReadOnlyList<SafeDialogueRow> Turns);

/// <summary>Means of one group of dialogues.</summary>
public sealed record SafeDialogueGroup(string Dimension, string Attack, string Language, int Dialogues, IReadOnlyList<double> Means, double AttackSuccess);

/// <summary>A run on SafeDialBench.</summary>
public sealed record SafeDialogueReport(
    RunManifest Manifest, IReadOnlyList<Figure> Figures, IReadOnlyList<ScoredItem> Items, IReadOnlyList<SafeDialogueGroup> Groups, IReadOnlyList<SafeDialogueEntry> Dialogues, int UnreadTurns, int Left)
{
    private const int ExamplesShown = 15;

    public static SafeDialogueReport Of(RunManifest manifest, SafeDialogueRun run, IReadOnlyList<JudgedDialogue> dialogues)
    {
        var items = run.Items(dialogues);
        var counted = dialogues.Zip(items).Where(p => p.Second.Scores.Count > 0).Select(p => p.First).ToList();
        return new SafeDialogueReport(
            manifest,
            SafeDialogueRun.Figures(items, (int)manifest.Seed),
            items,
            Grouped(counted),
            [.. dialogues.Select(d => new SafeDialogueEntry(d.Case.Id, d.Case.Dimension, d.Case.Attack, d.Case.Scene, d.Case.Language, d.Scores,
                [.. d.Turns.Select(t => new SafeDialogueRow(t.Turn, d.Case.History[t.Turn].User, t.Reply.Text, t.Reply.Note, t.Verdict.Scores, t.Verdict.Said, t.Verdict.Attempts))]))],
            dialogues.Sum(d => d.Unread),
            dialogues.Count - counted.Count);
    }

    /// <summary>Every dimension × attack × language, and with "all" in each place.</summary>
    internal static IReadOnlyList<SafeDialogueGroup> Grouped(IReadOnlyList<JudgedDialogue> dialogues)
    {
        const string All = "all";
        return
        [
            .. dialogues.SelectMany(d => from dimension in (string[])[d.Case.Dimension, All]
                                         from attack in (string[])[d.Case.Attack, All]
                                         from language in (string[])[d.Case.Language, All]
                                         select (Key: (dimension, attack, language), Scores: d.Scores!))
                .GroupBy(p => p.Key)
                .Select(g => new SafeDialogueGroup(
                    g.Key.dimension, g.Key.attack, g.Key.language, g.Count(),
                    [.. Enumerable.Range(0, 3).Select(i => g.Average(p => p.Scores[i]))],
                    g.Average(p => p.Scores.Min() <= SafeDialogueRun.AttackSucceeds ? 1.0 : 0))),
        ];
    }

    public string Page()
    {
        var note = Markup.Join(
        [
            RunParts.RulesNote(Manifest),
            Reports.Page.Note($"{Dialogues.Count} 段对话，每段取各轮最低分。读不出的评分 {UnreadTurns} 轮；完全没有分数的对话 {Left} 段，列在 JSON 里，不丢弃。",
                $"{Dialogues.Count} dialogues, each with the lowest score of its turns. Verdicts that could not be read: {UnreadTurns} turns; dialogues without any: {Left}, kept in the JSON."),
        ]);
        return Reports.Page.Of($"PsyLite SafeDialBench · {Manifest.Name}", RunParts.Lead("SafeDialBench", "Safety under pressure, turn by turn", Manifest, Figures, note),
        [
            Reports.Page.Section("dimensions", "风险维度", "Dimensions", Dimensions()),
            Reports.Page.Section("attacks", "攻击方式 × 风险维度", "Attack by dimension",
                Reports.Page.Note("每格是三种能力的平均（各段最低分），蓝色稳妥，红色失守；悬停看段数与攻击成功率。", "Each cell is the mean of the three abilities over dialogues at their worst turn; blue held, red gave way. Hover for counts and attack success."),
                Heat()),
            Reports.Page.Section("languages", "语言", "Languages", ByLanguage()),
            Reports.Page.Section("worst", "得分最低的对话", "Worst dialogues", Markup.Of($"""<ol class="examples">{Dialogues.OrderBy(d => d.Scores?.Sum() ?? -1).Take(ExamplesShown).Select(One)}</ol>""")),
            Reports.Page.Section("manifest", "可重复所需", "What it takes to repeat", RunParts.Manifest(Manifest)),
        ]).Value;
    }

    private Markup Dimensions()
    {
        Estimate? Of(string dimension, string ability)
        {
            var scores = Items.Where(i => i.Group == dimension && i.Scores.ContainsKey(ability)).Select(i => i.Scores[ability]).ToList();
            return scores.Count == 0 ? null : Bootstrap.Mean(scores, (int)Manifest.Seed);
        }

        var rows = SafeDialogueData.Dimensions.Select(d => new BarRow($"{SafeDialoguePrompts.Chinese(d)} {d}", [.. SafeDialogueRun.Abilities.Select(a => Of(d, a.Id))])).Where(r => r.Values.Any(v => v is not null)).ToList();
        return rows.Count == 0 ? Markup.None : Reports.Page.Figure("三种能力，95 % 区间按对话自助法", "Three abilities, bootstrap 95 % over dialogues", BarChart.Draw("各维度得分 scores by dimension", rows, 10),
            Reports.Page.Legend([.. SafeDialogueRun.Abilities.Select(a => $"{a.Chinese} {a.English}")]));
    }

    private Markup Heat()
    {
        var attacks = SafeDialogueData.Attacks.Concat(Groups.Select(g => g.Attack).Where(a => a != "all")).Distinct().Append("all").ToList();
        var columns = SafeDialogueData.Dimensions.Append("all").ToList();
        SafeDialogueGroup? At(int row, int column) => Groups.FirstOrDefault(g => g.Attack == attacks[row] && g.Dimension == columns[column] && g.Language == "all");
        static Markup Column(string dimension) => dimension == "all" ? Markup.Of($"全部 <span lang=\"en\">all</span>") : Markup.Of($"{SafeDialoguePrompts.Chinese(dimension)} <span lang=\"en\">{dimension}</span>");
        return HeatMap.Draw("", [.. attacks.Select(a => Markup.Of($"{(a == "all" ? "全部 all" : a)}"))], [.. columns.Select(Column)], (r, c) => At(r, c)?.Means.Average(), v => (v - 1) / 9, v => Words.Value(v, false),
            (r, c) => At(r, c) is { } g ? $"{g.Attack} × {g.Dimension}: n = {g.Dialogues}, 攻击成功 attack success {Words.Percent(g.AttackSuccess)}" : "");
    }

    private Markup ByLanguage() => Table.Of(["", "n", .. SafeDialogueRun.Abilities.Select(a => $"{a.Chinese} {a.English}"), "攻击成功 attack success"],
        Groups.Where(g => g.Dimension == "all" && g.Attack == "all").OrderBy(g => g.Language == "all").Select(g => (IReadOnlyList<Cell>)
            [g.Language, g.Dialogues, .. g.Means.Select(m => (Cell)Words.Value(m, false)), Words.Percent(g.AttackSuccess)]));

    private static Markup One(SafeDialogueEntry entry)
    {
        var worst = entry.Turns.Where(t => t.Scores is not null).MinBy(t => t.Scores!.Min()) ?? entry.Turns[^1];
        return Markup.Of($"""
            <li>{entry.Turns.Where(t => t.Turn < worst.Turn).TakeLast(2).Select(t => Markup.Of($"""<p class="said">{t.User}</p>"""))}<p>{worst.User}</p>
            <p class="reply">{(worst.Reply.Length > 0 ? worst.Reply : "（空 empty）")}</p>
            <p class="meta"><span class="tiers">{(entry.Scores is { } s ? string.Join(" / ", s) : "读不出 unread")}</span> · {entry.Id} · {entry.Attack}{(worst.Note.Length > 0 ? " · " + worst.Note : "")}</p></li>

            """);
    }
}
