using PsyLite.Evaluation.Judging;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Counselling;

/// <summary>How far two judges agree on one score. Null where a judge gave everything the same score, so that nothing can be told.</summary>
public sealed record JudgeAgreement(string Metric, string First, string Second, int Turns, double? Kappa, double? WeightedKappa, double? AlphaOrdinal, double? AlphaInterval);

/// <summary>One reply with its scores, as the JSON keeps it.</summary>
/// <param name="Scores">By judge; null where a judge's answer could not be read.</param>
public sealed record CounsellingRow(string Id, string Topic, string History, string Query, string Reply, string Note, int Tokens, IReadOnlyList<IReadOnlyList<double>?> Scores, IReadOnlyList<string> JudgeSaid, IReadOnlyList<int> Attempts);

/// <summary>A score's mean over turns if every unread verdict were the lowest, and the highest.</summary>
public sealed record ScoreBounds(double Low, double High);

/// <summary>A run on CPsyCounE.</summary>
/// <param name="Unread">Verdicts by judge that no attempt made readable.</param>
/// <param name="Bounds">By the first judge.</param>
public sealed record CounsellingReport(
    RunManifest Manifest, IReadOnlyList<Figure> Figures, IReadOnlyList<ScoredItem> Items, IReadOnlyList<CounsellingRow> Turns,
    IReadOnlyList<int> Unread, IReadOnlyList<ScoreBounds> Bounds, IReadOnlyList<JudgeAgreement> Agreement, IReadOnlyList<IReadOnlyList<Figure>> OtherJudges)
{
    private const int ExamplesShown = 20;
    private const int UnreadShown = 10;

    public static CounsellingReport Of(RunManifest manifest, IReadOnlyList<JudgedTurn> turns, CounsellingOptions options)
    {
        var items = CounsellingRun.Items(turns, options.Aggregation);
        var judges = manifest.Judges.Select(j => j.Name).ToList();
        return new CounsellingReport(
            manifest,
            CounsellingRun.Figures(items, options.Scale, options.Seed),
            items,
            [.. turns.Select(t => new CounsellingRow(t.Turn.Id, t.Turn.Dialogue.Topic, t.Turn.HistoryText, t.Turn.Query, t.Reply.Text, t.Reply.Note, t.Reply.Tokens,
                [.. t.Verdicts.Select(v => v.Scores)], [.. t.Verdicts.Select(v => v.Said)], [.. t.Verdicts.Select(v => v.Attempts)]))],
            [.. judges.Index().Select(j => turns.Count(t => t.Verdicts[j.Index].Scores is null))],
            [.. CounsellingScale.Metrics.Index().Select(m => new ScoreBounds(turns.Average(t => t.Verdicts[0].Scores?[m.Index] ?? 0), turns.Average(t => t.Verdicts[0].Scores?[m.Index] ?? options.Scale[m.Index])))],
            Agreements(turns, judges),
            [.. Enumerable.Range(1, Math.Max(0, judges.Count - 1)).Select(j => CounsellingRun.Figures(CounsellingRun.Items(turns, options.Aggregation, j), options.Scale, options.Seed))]);
    }

    /// <summary>Agreement of every two raters, score by score, over what both have rated.</summary>
    public static IReadOnlyList<JudgeAgreement> Agreements(IReadOnlyList<IReadOnlyList<IReadOnlyList<double>?>> units, IReadOnlyList<string> raters)
    {
        var found = new List<JudgeAgreement>();
        for (var a = 0; a < raters.Count; a++)
        {
            for (var b = a + 1; b < raters.Count; b++)
            {
                foreach (var (i, metric) in CounsellingScale.Metrics.Index())
                {
                    var pairs = units.Where(u => u[a] is not null && u[b] is not null).Select(u => (u[a]![i], u[b]![i])).ToList();
                    IReadOnlyList<IReadOnlyList<double>> rated = [.. pairs.Select(p => (IReadOnlyList<double>)[p.Item1, p.Item2])];
                    found.Add(new JudgeAgreement(metric.Id, raters[a], raters[b], pairs.Count, Metrics.Agreement.Kappa(pairs), Metrics.Agreement.Kappa(pairs, RatingScale.Interval),
                        Metrics.Agreement.Alpha(rated, RatingScale.Ordinal), Metrics.Agreement.Alpha(rated)));
                }
            }
        }

        return found;
    }

    public string Page() => CounsellingPage.Write(this);

    /// <summary>Turns that got no word.</summary>
    internal int Empty => Turns.Count(t => t.Reply.Length == 0);

    /// <summary>Turns that the first judge was asked about more than once.</summary>
    internal int AskedAgain => Turns.Count(t => t.Attempts[0] > 1);

    internal IEnumerable<CounsellingRow> UnreadTurns => Turns.Where(t => t.Scores[0] is null).Take(UnreadShown);

    /// <summary>The replies with the lowest scores by the first judge, unread ones first; of empty ones there is nothing to read.</summary>
    internal IEnumerable<CounsellingRow> Worst => Turns.Where(t => t.Reply.Length > 0).OrderBy(t => t.Scores[0]?.Sum() ?? -1).Take(ExamplesShown);

    private static IReadOnlyList<JudgeAgreement> Agreements(IReadOnlyList<JudgedTurn> turns, IReadOnlyList<string> judges) =>
        Agreements([.. turns.Select(t => (IReadOnlyList<IReadOnlyList<double>?>)[.. t.Verdicts.Select(v => v.Scores)])], judges);
}
