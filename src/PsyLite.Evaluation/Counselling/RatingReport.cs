using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Counselling;

/// <summary>People's scores of one run.</summary>
public sealed record RatedRun(string Run, int Ratings, IReadOnlyList<Figure> Figures);

/// <summary>What people said of several runs, blind, and how far they agree with each other and with the runs' judge.</summary>
public sealed record RatingReport(string Form, IReadOnlyList<string> Raters, IReadOnlyList<RatedRun> Runs, IReadOnlyList<JudgeAgreement> Agreement)
{
    public static RatingReport Of(RatingKey key, IReadOnlyList<HumanRatings> ratings, int seed = 1)
    {
        var scale = key.Scale == CounsellingScale.Readme.Name ? CounsellingScale.Readme : CounsellingScale.Notebook;
        var byItem = ratings.SelectMany(r => r.Ratings.Select(x => (x.Id, x.Scores))).ToLookup(r => r.Id, r => r.Scores);
        Estimate Mean(IEnumerable<RatingKeyEntry> items, int metric)
        {
            // Replies of one dialogue hang together, so dialogues are drawn.
            var dialogues = items.Where(i => byItem[i.Id].Any()).GroupBy(i => i.Turn.Split('#')[0]).Select(g => g.SelectMany(i => byItem[i.Id].Select(s => s[metric])).ToList()).ToList();
            return Bootstrap.Of(dialogues, d => d.SelectMany(x => x).Average(), seed);
        }

        IReadOnlyList<IReadOnlyList<double>?> Row(RatingKeyEntry item) => [.. ratings.Select(r => r.Ratings.FirstOrDefault(x => x.Id == item.Id)?.Scores), item.Judge];
        return new RatingReport(
            key.Form,
            [.. ratings.Select(r => r.Rater)],
            [.. key.Items.GroupBy(i => i.Run).Select(g => new RatedRun(g.Key, g.Sum(i => byItem[i.Id].Count()),
                [.. CounsellingScale.Metrics.Select((m, i) => new Figure(m.Id, m.Chinese, m.English, Mean(g, i), scale[i]))]))],
            CounsellingReport.Agreements([.. key.Items.Select(Row)], [.. ratings.Select(r => r.Rater), "评分者 judge"]));
    }

    public string Page() => Reports.Page.Of("PsyLite 盲评 · blind rating", Markup.Of($"""
        <header><h1>盲评结果 <span lang="en">Blind rating · {string.Join(", ", Raters)}</span></h1></header>

        """),
        [
            Reports.Page.Section("runs", "各次运行", "Runs", Table.Of(["", "n", .. CounsellingScale.Metrics.Select(m => $"{m.Chinese} {m.English}")],
                Runs.Select(r => (IReadOnlyList<Cell>)[r.Run, r.Ratings, .. r.Figures.Select(f => (Cell)Words.Value(f.Estimate, false))]), "wide")),
            Reports.Page.Section("agreement", "一致性", "Agreement", CounsellingPage.Agreement(Agreement)),
        ]).Value;
}
