using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.CEval;

/// <summary>A run's figures, subject by subject and question by question.</summary>
public sealed record CEvalReport(
    RunManifest Manifest, IReadOnlyList<Figure> Figures, IReadOnlyList<ScoredItem> Items, IReadOnlyList<CEvalAccuracy> Subjects, IReadOnlyList<CEvalAnswer> Answers)
{
    private const int ExamplesShown = 30;

    public static CEvalReport Of(RunManifest manifest, IReadOnlyList<CEvalAnswer> answers) =>
        new(manifest, CEvalRun.Figures(answers, (int)manifest.Seed), CEvalRun.Items(answers), CEvalRun.Accuracies(answers), answers);

    /// <summary>The report as a page.</summary>
    public string Page()
    {
        var unread = Answers.Count(a => a.Chosen is null);
        var cut = Answers.Count(a => a.WasCut);
        var fewer = Answers.Count(a => a.Shots < Answers.Max(x => x.Shots));
        var note = Reports.Page.Note(
            $"{Answers.Count} 题，{Subjects.Count} 科；{unread} 题读不出答案（算错，不丢弃），{cut} 题回答到长度上限，{fewer} 题因上下文不够而少用了例题。四选一随机是 25 %。",
            $"{Answers.Count} questions of {Subjects.Count} subjects; no answer could be read of {unread} (wrong, not dropped), {cut} ran into the length limit, {fewer} had fewer examples for want of context. Guessing gives 25 %.");
        var found = Figures.Where(f => f.Estimate.Units > 0).ToList();
        return Reports.Page.Of($"PsyLite C-Eval · {Manifest.Name}", RunParts.Lead("C-Eval", "Chinese exam questions", Manifest, found, note),
        [
            found.Count == 0 ? Markup.None : Reports.Page.Section("categories", "分类", "Categories", Reports.Page.Figure("各类平均", "Means over subjects, bootstrap 95 % over questions",
                BarChart.Draw("分类准确率 accuracy by category", [.. found.Select(f => new BarRow(f.Chinese, [f.Estimate]))], 1, isShare: true))),
            Subjects.Count == 0 ? Markup.None : Reports.Page.Section("subjects", "各科", "Subjects", Table.Of(["科目 subject", "类 category", "准确率 accuracy", "95 %", "n", "读不出 unread"],
                Subjects.Select(s => (IReadOnlyList<Cell>)
                [
                    Markup.Of($"{s.Chinese} <span lang=\"en\">{s.Subject}</span>"), s.Category + (s.IsHard ? " · Hard" : ""), Words.Percent(s.Right.Rate), new Cell(Markup.Of($"{Words.Interval(s.Right)}"), "soft"), Words.Of(s.Right), Cell.Faults(s.Unread),
                ]), "wide")),
            Reports.Page.Section("wrong", "答错的题", "Answered wrongly", Reports.Page.Note($"最多 {ExamplesShown} 题。", $"At most {ExamplesShown}."), Examples()),
            Reports.Page.Section("manifest", "可重复所需", "What it takes to repeat", RunParts.Manifest(Manifest)),
        ]).Value;
    }

    private Markup Examples() => Markup.Of($"""
        <ol class="examples">{Answers.Where(a => a.IsRight == false).OrderBy(a => a.Chosen is null ? 0 : 1).Take(ExamplesShown).Select(One)}</ol>

        """);

    private static Markup One(CEvalAnswer answer) => Markup.Of($"""
        <li><p>{answer.Question.Text}</p><p class="said">{string.Join("　", answer.Question.Options.Select((o, i) => $"{CEvalQuestion.Letters[i]}. {o}"))}</p>
        {(answer.Said.Length > 0 ? Markup.Of($"""<p class="reply">{Short(answer.Said)}</p>""") : Markup.None)}
        <p class="meta"><span class="tiers">{answer.Question.Answer ?? "?"} → {answer.Chosen ?? "读不出 unread"}</span> · {answer.Question.Subject}/{answer.Question.Id}</p></li>

        """);

    private static string Short(string text) => text.Length <= 300 ? text : text[..300] + "…";
}
