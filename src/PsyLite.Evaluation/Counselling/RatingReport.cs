using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Counselling;

/// <summary>People's scores of one run.</summary>
public sealed record RatedRun(string Run, int Ratings, IReadOnlyList<Figure> Figures);

/// <summary>One score of a run against the first, by people, on the dialogues that were rated for both.</summary>
public sealed record RatedDifference(string Run, string Metric, PairedDifference Paired);

/// <summary>What people said of several runs, blind, and how far they agree with each other and with the runs' judge.</summary>
/// <param name="Unrated">Replies of the form that no one has rated.</param>
public sealed record RatingReport(
    string Form, IReadOnlyList<string> Raters, IReadOnlyList<RatedRun> Runs, IReadOnlyList<RatedDifference> Differences, IReadOnlyList<JudgeAgreement> Agreement, int Unrated)
{
    public static RatingReport Of(RatingKey key, IReadOnlyList<HumanRatings> ratings, int seed = 1)
    {
        var scale = key.Scale == CounsellingScale.Readme.Name ? CounsellingScale.Readme : CounsellingScale.Notebook;
        var byItem = ratings.SelectMany(r => r.Ratings.Select(x => (x.Id, x.Scores))).ToLookup(r => r.Id, r => r.Scores);
        var runs = key.Items.Select(i => i.Run).Distinct().ToList();
        var rated = key.Items.Where(i => byItem[i.Id].Any()).ToList();

        // Replies of one dialogue hang together, so dialogues are drawn.
        Dictionary<string, List<double>> Dialogues(string run, int metric) => rated.Where(i => i.Run == run).GroupBy(i => i.Turn.Split('#')[0])
            .ToDictionary(g => g.Key, g => g.SelectMany(i => byItem[i.Id].Select(s => s[metric])).ToList());
        Estimate Mean(string run, int metric) => Bootstrap.Of([.. Dialogues(run, metric).Values], d => d.SelectMany(x => x).Average(), seed);
        PairedDifference Against(string run, int metric)
        {
            var (first, second) = (Dialogues(runs[0], metric), Dialogues(run, metric));
            return PairedTest.Of([.. first.Where(d => second.ContainsKey(d.Key)).Select(d => (second[d.Key].Average() - d.Value.Average(), (double)d.Value.Count + second[d.Key].Count))], seed);
        }

        return new RatingReport(
            key.Form,
            [.. ratings.Select(r => r.Rater)],
            [.. runs.Select(run => new RatedRun(run, key.Items.Where(i => i.Run == run).Sum(i => byItem[i.Id].Count()),
                [.. CounsellingScale.Metrics.Select((m, i) => new Figure(m.Id, m.Chinese, m.English, Mean(run, i), scale[i]))]))],
            [.. runs.Skip(1).SelectMany(run => CounsellingScale.Metrics.Select((m, i) => new RatedDifference(run, m.Id, Against(run, i))))],
            Agreements(key, ratings),
            key.Items.Count - rated.Count);
    }

    /// <summary>Every two people, every person and the runs' judge, and all people together where there are more than two.</summary>
    private static IReadOnlyList<JudgeAgreement> Agreements(RatingKey key, IReadOnlyList<HumanRatings> ratings)
    {
        var given = ratings.Select(r => r.Ratings.ToDictionary(x => x.Id, x => x.Scores)).ToList();
        var judges = key.Judges.Values.Distinct().ToList();
        var pairs = CounsellingReport.Agreements(
            [.. key.Items.Select(item => (IReadOnlyList<IReadOnlyList<double>?>)[.. given.Select(g => g.GetValueOrDefault(item.Id)), item.Judge])],
            [.. ratings.Select(r => r.Rater), judges.Count == 1 ? judges[0] : "评分者 judges"]);
        if (ratings.Count < 3)
        {
            return pairs;
        }

        var units = key.Items.Select(item => given.Select(g => g.GetValueOrDefault(item.Id)).OfType<IReadOnlyList<double>>().ToList()).Where(u => u.Count > 1).ToList();
        return
        [
            .. pairs,
            .. CounsellingScale.Metrics.Select((metric, i) =>
            {
                IReadOnlyList<IReadOnlyList<double>> scores = [.. units.Select(u => (IReadOnlyList<double>)[.. u.Select(s => s[i])])];
                return new JudgeAgreement(metric.Id, "所有人", "all people", units.Count, null, null, Metrics.Agreement.Alpha(scores, RatingScale.Ordinal), Metrics.Agreement.Alpha(scores));
            }),
        ];
    }

    public string Page() => Reports.Page.Of("PsyLite 盲评 · blind rating", Markup.Of($"""
        <header><h1>盲评结果 <span lang="en">Blind rating · {string.Join(", ", Raters)}</span></h1>
        {(Unrated == 0 ? Markup.None : Reports.Page.Note($"还有 {Unrated} 条没有人评过。", $"Replies that nobody has rated: {Unrated}."))}
        </header>

        """),
        [
            Reports.Page.Section("runs", "各次运行", "Runs", Table.Of(["", "n", .. CounsellingScale.Metrics.Select(m => $"{m.Chinese} {m.English}")],
                Runs.Select(r => (IReadOnlyList<Cell>)[r.Run, r.Ratings, .. r.Figures.Select(f => (Cell)Words.Value(f.Estimate, false))]), "wide")),
            Differences.Count == 0 ? Markup.None : Reports.Page.Section("differences", "成对差异", "Paired differences",
                Reports.Page.Note($"与 {Runs[0].Run} 在相同对话上的差，按对话成对置换检验。", $"Differences to {Runs[0].Run} on the same dialogues; paired permutation test over dialogues."),
                Table.Of(["", "差 difference", "95 %", "p", "对话 dialogues"], Differences.Select(d => (IReadOnlyList<Cell>)
                [
                    Markup.Of($"{d.Run} <span>{CounsellingScale.Metrics.Single(m => m.Id == d.Metric).Chinese} {CounsellingScale.Metrics.Single(m => m.Id == d.Metric).English}</span>"),
                    $"{(d.Paired.Difference.Value > 0 ? "+" : "")}{Words.Value(d.Paired.Difference.Value, false)}", Words.Range(d.Paired.Difference, false), Words.PValue(d.Paired.PValue), d.Paired.Pairs,
                ]), "wide")),
            Reports.Page.Section("agreement", "一致性", "Agreement", CounsellingPage.Agreement(Agreement)),
        ]).Value;
}
