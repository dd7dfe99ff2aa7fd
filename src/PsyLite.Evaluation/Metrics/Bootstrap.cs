namespace PsyLite.Evaluation.Metrics;

/// <summary>A figure with its 95 % interval, and of how many independent units it is made.</summary>
public sealed record Estimate(double Value, double Low, double High, int Units);

/// <summary>
/// Percentile intervals by resampling independent units with replacement (Efron, "Bootstrap methods: another look at the jackknife",
/// 1979). Turns of one dialogue are no independent units: resample dialogues.
/// </summary>
public static class Bootstrap
{
    public const int Resamples = 2000;
    private const double Tail = 0.025;

    public static Estimate Of<T>(IReadOnlyList<T> units, Func<IReadOnlyList<T>, double> statistic, int seed, int resamples = Resamples)
    {
        if (units.Count == 0)
        {
            return new Estimate(double.NaN, double.NaN, double.NaN, 0);
        }

        var random = new Random(seed);
        var drawn = new T[units.Count];
        var values = new double[resamples];
        for (var sample = 0; sample < resamples; sample++)
        {
            for (var i = 0; i < drawn.Length; i++)
            {
                drawn[i] = units[random.Next(units.Count)];
            }

            values[sample] = statistic(drawn);
        }

        return new Estimate(statistic(units), Percentile.Of(values, Tail), Percentile.Of(values, 1 - Tail), units.Count);
    }

    /// <summary>The mean of units.</summary>
    public static Estimate Mean(IReadOnlyList<double> units, int seed) => Of(units, u => u.Average(), seed);

    /// <summary>The unweighted mean of the strata's means; units are drawn within their stratum.</summary>
    public static Estimate MeanOfMeans(IReadOnlyList<IReadOnlyList<double>> strata, int seed, int resamples = Resamples)
    {
        strata = [.. strata.Where(s => s.Count > 0)];
        if (strata.Count == 0)
        {
            return new Estimate(double.NaN, double.NaN, double.NaN, 0);
        }

        var random = new Random(seed);
        var values = new double[resamples];
        for (var sample = 0; sample < resamples; sample++)
        {
            foreach (var stratum in strata)
            {
                var sum = 0.0;
                for (var i = 0; i < stratum.Count; i++)
                {
                    sum += stratum[random.Next(stratum.Count)];
                }

                values[sample] += sum / stratum.Count / strata.Count;
            }
        }

        return new Estimate(strata.Average(s => s.Average()), Percentile.Of(values, Tail), Percentile.Of(values, 1 - Tail), strata.Sum(s => s.Count));
    }
}
