namespace PsyLite.Evaluation.Metrics;

/// <summary>
/// <paramref name="Hits"/> of <paramref name="Of"/> with the 95 % interval of Wilson ("Probable inference, the law of succession, and
/// statistical inference", JASA 1927), which stays honest for few cases and near 0 and 1.
/// </summary>
public sealed record Proportion(int Hits, int Of)
{
    /// <summary>Two-sided 95 % quantile of the normal distribution.</summary>
    private const double Z = 1.959963984540054;

    /// <summary>The share; null when there was nothing to count.</summary>
    public double? Rate => Of == 0 ? null : (double)Hits / Of;

    public double Low => Of == 0 || Hits == 0 ? 0 : Math.Max(0, Centre - Margin);

    public double High => Of == 0 || Hits == Of ? 1 : Math.Min(1, Centre + Margin);

    private double Denominator => 1 + (Z * Z / Of);

    private double Centre => (((double)Hits / Of) + (Z * Z / (2.0 * Of))) / Denominator;

    private double Margin
    {
        get
        {
            var rate = (double)Hits / Of;
            return Z * Math.Sqrt((rate * (1 - rate) / Of) + (Z * Z / (4.0 * Of * Of))) / Denominator;
        }
    }

    public static Proportion Count<T>(IEnumerable<T> items, Func<T, bool> isHit)
    {
        var (hits, of) = (0, 0);
        foreach (var item in items)
        {
            of++;
            hits += isHit(item) ? 1 : 0;
        }

        return new Proportion(hits, of);
    }
}
