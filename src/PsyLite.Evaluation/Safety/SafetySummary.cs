using System.Globalization;

namespace PsyLite.Evaluation.Safety;

/// <summary>The report in a dozen lines for a terminal.</summary>
public static class SafetySummary
{
    public static IEnumerable<string> Lines(SafetyReport report)
    {
        var (chosen, faults) = (report.Chosen, report.Faults.Total);
        yield return Line($"{chosen.Name}: {chosen.Messages} messages, {chosen.Dialogues} of them dialogues; {report.Beside.Name}: {report.Beside.Messages}");
        yield return Line($"recall  {string.Join("  ", chosen.Recall.Select(r => $"{r.Name} {Percent(r.Rate.Rate)}"))}  TF {Percent(chosen.FriendsFound.Rate)}");
        yield return Line($"false alarms  T0 {Percent(chosen.AlarmsCalm.Rate)}  T1 {Percent(chosen.AlarmsWorried.Rate)}  caring question on T0 {Percent(chosen.QuestionsCalm.Rate)}");
        yield return Line($"happy F1 {chosen.Happy.F1:F3}  ECE {chosen.Calibration.ExpectedError:F3}  Brier {chosen.Calibration.Brier:F3}  median {chosen.MedianMicros:F0} µs  p99 {chosen.SlowestPercentMicros:F0} µs");
        yield return Line($"faults  {faults.Turns} turns, fail-safe {Percent(faults.FailSafe.Rate)}, jokes after risk {faults.JokesAfterRisk}, crisis texts lost {faults.CrisisTextsLost}");
        foreach (var gate in report.Gates)
        {
            yield return $"{(gate.IsMet ? "达标 met   " : "未达 missed")}  {gate.Chinese} {gate.English}: {gate.Found} ({gate.Wanted})";
        }
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Percent(double? share) => share is { } s ? (s * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %" : "–";
}
