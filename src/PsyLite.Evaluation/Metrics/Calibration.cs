namespace PsyLite.Evaluation.Metrics;

/// <summary>Scores from <paramref name="From"/> up to <paramref name="To"/>: how many, what they promised on average and how often it came true.</summary>
public sealed record CalibrationBin(double From, double To, int Count, double MeanScore, double Observed);

/// <summary>
/// Whether scores mean what they say. Expected calibration error over bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015) and
/// the mean squared error of the score (Brier, 1950).
/// </summary>
public sealed record Calibration(IReadOnlyList<CalibrationBin> Bins, double ExpectedError, double Brier, int Count)
{
    public static Calibration Of(IReadOnlyList<(double Score, bool IsTrue)> cases, int bins = 10)
    {
        var groups = cases.ToLookup(c => Math.Clamp((int)(c.Score * bins), 0, bins - 1));
        List<CalibrationBin> filled = [];
        for (var bin = 0; bin < bins; bin++)
        {
            var group = groups[bin].ToList();
            filled.Add(new CalibrationBin((double)bin / bins, (double)(bin + 1) / bins, group.Count,
                group.Count == 0 ? 0 : group.Average(c => c.Score), group.Count == 0 ? 0 : group.Average(c => c.IsTrue ? 1.0 : 0)));
        }

        var count = Math.Max(1, cases.Count);
        return new Calibration(
            filled,
            filled.Sum(b => b.Count * Math.Abs(b.MeanScore - b.Observed)) / count,
            cases.Sum(c => Math.Pow(c.Score - (c.IsTrue ? 1 : 0), 2)) / count,
            cases.Count);
    }
}
