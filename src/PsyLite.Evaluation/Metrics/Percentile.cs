namespace PsyLite.Evaluation.Metrics;

public static class Percentile
{
    /// <summary>The smallest value that at least <paramref name="share"/> (0..1) of all values do not exceed (nearest rank); 0 for none.</summary>
    public static double Of(IEnumerable<double> values, double share)
    {
        var ordered = values.Order().ToArray();
        return ordered.Length == 0 ? 0 : ordered[Math.Clamp((int)Math.Ceiling(share * ordered.Length) - 1, 0, ordered.Length - 1)];
    }
}
