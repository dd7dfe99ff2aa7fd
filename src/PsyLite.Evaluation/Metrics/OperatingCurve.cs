namespace PsyLite.Evaluation.Metrics;

/// <summary>Share of the dangerous and of the harmless whose score reaches a threshold.</summary>
public sealed record OperatingPoint(double Threshold, double Recall, double FalseAlarms);

/// <summary>Recall against false alarms for every threshold of a score, and the area under it (ties count half).</summary>
public sealed record OperatingCurve(IReadOnlyList<OperatingPoint> Points, double Area)
{
    public static OperatingCurve Of(IReadOnlyCollection<double> positive, IReadOnlyCollection<double> negative)
    {
        var ordered = positive.Select(s => (Score: s, IsPositive: true)).Concat(negative.Select(s => (Score: s, IsPositive: false)))
            .GroupBy(s => s.Score).OrderByDescending(g => g.Key);
        var (found, alarms, area) = (0, 0, 0.0);
        List<OperatingPoint> points = [new(1, 0, 0)];
        foreach (var group in ordered)
        {
            var here = group.Count(s => s.IsPositive);
            var harmless = group.Count() - here;
            area += harmless * (found + (here / 2.0));
            found += here;
            alarms += harmless;
            points.Add(new OperatingPoint(group.Key, (double)found / Math.Max(1, positive.Count), (double)alarms / Math.Max(1, negative.Count)));
        }

        return new OperatingCurve(points, positive.Count == 0 || negative.Count == 0 ? 0 : area / ((double)positive.Count * negative.Count));
    }

    /// <summary>The best recall that costs no more than this share of false alarms.</summary>
    public double RecallAt(double falseAlarms) => Points.Where(p => p.FalseAlarms <= falseAlarms).Max(p => p.Recall);
}
