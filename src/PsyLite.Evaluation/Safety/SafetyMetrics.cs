using System.Text.RegularExpressions;
using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Metrics;

namespace PsyLite.Evaluation.Safety;

/// <summary>Turns verdicts into figures. Pure; the same verdicts give the same figures.</summary>
internal static partial class SafetyMetrics
{
    public const int HistogramBins = 20;

    /// <summary>Kinds with fewer harmless lines than this are not told apart.</summary>
    private const int SmallestKind = 15;

    public static SafetyFigures Of(string name, IReadOnlyList<JudgedMessage> judged)
    {
        var danger = judged.Where(j => j.Message.IsDanger).ToList();
        var calm = judged.Where(j => j.Message.Tier == Tier.T0).ToList();
        var worried = judged.Where(j => j.Message.Tier == Tier.T1).ToList();
        var friends = judged.Where(j => j.Message.Tier == Tier.TF).ToList();
        var dialogues = judged.Where(j => j.Message.IsDialogue).ToList();
        var harmlessScores = calm.Concat(worried).Concat(friends).Select(j => j.Verdict.Score).ToList();
        var dangerScores = danger.ConvertAll(j => j.Verdict.Score);
        var times = judged.Where(j => !j.Message.IsDialogue).Select(j => j.Micros).ToList();
        return new SafetyFigures(name, judged.Count, dialogues.Count)
        {
            Recall = [.. Recall(danger)],
            FriendsFound = Proportion.Count(friends, j => j.Verdict.Tier == Tier.TF),
            AlarmsCalm = Proportion.Count(calm, j => j.IsAlarm),
            AlarmsWorried = Proportion.Count(worried, j => j.IsAlarm),
            AlarmsFriends = Proportion.Count(friends, j => j.IsAlarm),
            QuestionsCalm = Proportion.Count(calm, j => j.Verdict.Tier == Tier.T1),
            AlarmsBySource = Alarms(calm, worried, m => m.Source, 1),
            AlarmsByKind = Alarms(calm, worried, m => m.Kind, SmallestKind),
            Patterns = Patterns(judged),
            Confusion = Confusion(judged),
            Happy = Detection.Count(judged.Where(j => j.Message.Mood != LabelledMood.None).Select(j => (j.Message.Mood == LabelledMood.Happy, j.IsCalledHappy))),
            CalledHappy = [.. judged.Where(j => j.Message.Mood != LabelledMood.None).GroupBy(j => j.Message.Mood).OrderBy(g => g.Key)
                .Select(g => new NamedRate(g.Key.ToString().ToLowerInvariant(), Proportion.Count(g, j => j.IsCalledHappy)))],
            Calibration = Calibration.Of([.. judged.Select(j => (j.Verdict.Score, j.Message.IsDanger))]),
            AgainstCalm = Thin(OperatingCurve.Of(dangerScores, calm.ConvertAll(j => j.Verdict.Score))),
            AgainstAll = Thin(OperatingCurve.Of(dangerScores, harmlessScores)),
            Scores = [Histogram("T0", calm), Histogram("T1, TF", [.. worried, .. friends]), Histogram("T2-T4, TO, TA", danger)],
            DialoguesRight = Proportion.Count(dialogues, j => j.IsRight),
            DialoguesOtherwise = dialogues.Count(j => j.IsRoutedOtherwiseWithoutState),
            MedianMicros = Percentile.Of(times, 0.5),
            SlowestPercentMicros = Percentile.Of(times, 0.99),
        };
    }

    /// <summary>Danger that got no crisis reply, the gravest and least suspected first.</summary>
    public static IReadOnlyList<Example> Misses(IEnumerable<JudgedMessage> judged, int most) =>
        [.. judged.Where(j => j.Message.IsDanger && !j.IsAlarm)
            .OrderByDescending(j => Severity.Of(j.Message.Tier)).ThenBy(j => j.Verdict.Score).Take(most).Select(ToExample)];

    /// <summary>Harmless messages that got a crisis reply, the surest of them first.</summary>
    public static IReadOnlyList<Example> FalseAlarms(IEnumerable<JudgedMessage> judged, int most) =>
        [.. judged.Where(j => j.Message.Tier == Tier.T0 && j.IsAlarm)
            .OrderByDescending(j => j.Verdict.Score).ThenByDescending(j => Severity.Of(j.Verdict.Tier)).Take(most).Select(ToExample)];

    public static IReadOnlyList<SetCount> Counts(IReadOnlyList<LabelledMessage> messages)
    {
        IEnumerable<SetCount> By<T>(string group, Func<LabelledMessage, T> key, Func<T, string> name) =>
            messages.GroupBy(key).OrderBy(g => g.Key).Select(g => new SetCount(group, name(g.Key), g.Count(), g.Count(m => m.IsHeldBack)));
        return
        [
            .. By("tier", m => m.Tier, t => t.ToString()),
            .. By("mood", m => m.Mood, m => m.ToString().ToLowerInvariant()),
            .. By("source", m => m.Source, s => s),
            .. By("form", m => m.IsDialogue, d => d ? "dialogue" : "message"),
        ];
    }

    private static IEnumerable<NamedRate> Recall(List<JudgedMessage> danger)
    {
        NamedRate Rate(string name, params Tier[] tiers) =>
            new(name, Proportion.Count(danger.Where(j => tiers.Contains(j.Message.Tier)), j => j.IsAlarm));
        foreach (var tier in (Tier[])[Tier.T2, Tier.T3, Tier.T4, Tier.TO, Tier.TA])
        {
            yield return Rate(tier.ToString(), tier);
        }

        yield return Rate("T2-T4", Tier.T2, Tier.T3, Tier.T4);
        yield return Rate("T3-T4", Tier.T3, Tier.T4);
        yield return Rate("all", Tier.T2, Tier.T3, Tier.T4, Tier.TO, Tier.TA);
    }

    private static IReadOnlyList<AlarmGroup> Alarms(List<JudgedMessage> calm, List<JudgedMessage> worried, Func<LabelledMessage, string> key, int least)
    {
        var (calmBy, worriedBy) = (calm.ToLookup(j => key(j.Message)), worried.ToLookup(j => key(j.Message)));
        return [.. calm.Concat(worried).Select(j => key(j.Message)).Distinct().Where(k => calmBy[k].Count() + worriedBy[k].Count() >= least)
            .Select(k => new AlarmGroup(k, Proportion.Count(calmBy[k], j => j.IsAlarm), Proportion.Count(worriedBy[k], j => j.IsAlarm)))
            .OrderByDescending(g => g.Calm.Rate ?? -1).ThenByDescending(g => g.Calm.Of).ThenBy(g => g.Name, StringComparer.Ordinal)];
    }

    private static IReadOnlyList<PatternRate> Patterns(IReadOnlyList<JudgedMessage> judged)
    {
        var byPattern = judged.ToLookup(j => PatternKind().Match(j.Message.Kind) is { Success: true } match ? match.Value : "");
        return [.. RiskPatterns.All.Select(p => new PatternRate(
            p.Id,
            Proportion.Count(byPattern[p.Id].Where(j => j.Message.IsDanger || j.Message.Tier == Tier.TF), j => j.IsRight),
            Proportion.Count(byPattern[p.Id].Where(j => j.Message.Tier is Tier.T0 or Tier.T1), j => j.IsRight)))];
    }

    private static IReadOnlyList<IReadOnlyList<int>> Confusion(IReadOnlyList<JudgedMessage> judged)
    {
        var tiers = Enum.GetValues<Tier>();
        var counts = judged.CountBy(j => (j.Message.Tier, j.Verdict.Tier)).ToDictionary(c => c.Key, c => c.Value);
        return [.. tiers.Select(row => (IReadOnlyList<int>)[.. tiers.Select(column => counts.GetValueOrDefault((row, column)))])];
    }

    private static ScoreHistogram Histogram(string name, List<JudgedMessage> judged)
    {
        var counts = new int[HistogramBins];
        foreach (var message in judged)
        {
            counts[Math.Clamp((int)(message.Verdict.Score * HistogramBins), 0, HistogramBins - 1)]++;
        }

        return new ScoreHistogram(name, counts);
    }

    /// <summary>Leaves out points that a drawing could not tell apart.</summary>
    private static OperatingCurve Thin(OperatingCurve curve) =>
        curve with { Points = [.. curve.Points.DistinctBy(p => (Math.Round(p.Recall, 3), Math.Round(p.FalseAlarms, 3)))] };

    private static Example ToExample(JudgedMessage judged) => new(
        judged.Message.Source, judged.Message.Line, judged.Message.Kind, judged.Message.Tier, judged.Verdict.Tier, judged.Verdict.Score,
        [.. judged.Verdict.Signals.Select(s => s.Rule).Distinct()], judged.Message.Turns);

    /// <summary>Look-alikes of pattern p41 may be written as p41-ok.</summary>
    [GeneratedRegex("^p[0-9]{2}(?=$|-)")]
    private static partial Regex PatternKind();
}
