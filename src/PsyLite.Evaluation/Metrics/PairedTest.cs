namespace PsyLite.Evaluation.Metrics;

/// <summary>A weighted sum of differences of the same units under two systems, with a 95 % interval and a two-sided p-value.</summary>
public sealed record PairedDifference(Estimate Difference, double PValue, int Pairs, int Better, int Worse);

/// <summary>
/// Compares two systems on the same units. The p-value is that of a permutation test (Fisher, "The design of experiments", 1935): if the
/// systems were alike, the sign of each difference would be a coin's. All sign patterns are counted where they are few, else drawn.
/// </summary>
public static class PairedTest
{
    private const int Draws = 10_000;
    private const int MostCounted = 13;

    /// <param name="pairs">Differences (second minus first) and their weights, which are made to sum to one.</param>
    public static PairedDifference Of(IReadOnlyList<(double Difference, double Weight)> pairs, int seed)
    {
        var whole = pairs.Sum(p => p.Weight);
        if (pairs.Count == 0 || whole <= 0)
        {
            return new PairedDifference(new Estimate(double.NaN, double.NaN, double.NaN, 0), double.NaN, 0, 0, 0);
        }

        var estimate = Bootstrap.Of(pairs, p => p.Sum(x => x.Difference * x.Weight) / p.Sum(x => x.Weight), seed);
        var parts = pairs.Select(p => p.Difference * p.Weight / whole).Where(p => p != 0).ToArray();
        return new PairedDifference(estimate, PValue(parts, seed), pairs.Count, parts.Count(p => p > 0), parts.Count(p => p < 0));
    }

    private static double PValue(double[] parts, int seed)
    {
        if (parts.Length == 0)
        {
            return 1;
        }

        // Sums of the same numbers in another order may differ by rounding.
        var found = Math.Abs(parts.Sum()) * (1 - 1e-12);
        if (parts.Length <= MostCounted)
        {
            var patterns = 1 << parts.Length;
            return (double)Enumerable.Range(0, patterns).Count(signs => Math.Abs(Signed(parts, i => (signs >> i & 1) == 1)) >= found) / patterns;
        }

        var random = new Random(seed);
        var reached = Enumerable.Range(0, Draws).Count(_ => Math.Abs(Signed(parts, _ => random.Next(2) == 1)) >= found);
        return (reached + 1.0) / (Draws + 1);
    }

    private static double Signed(double[] parts, Func<int, bool> turns)
    {
        var sum = 0.0;
        for (var i = 0; i < parts.Length; i++)
        {
            sum += turns(i) ? -parts[i] : parts[i];
        }

        return sum;
    }
}
