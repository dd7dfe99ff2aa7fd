namespace PsyLite.Evaluation.Metrics;

/// <summary>How well one class is found among others: counts, and what is made of them.</summary>
public sealed record Detection(int TruePositives, int FalsePositives, int FalseNegatives, int TrueNegatives)
{
    public double? Precision => Share(TruePositives, TruePositives + FalsePositives);

    public double? Recall => Share(TruePositives, TruePositives + FalseNegatives);

    /// <summary>Harmonic mean of precision and recall; null when the class neither occurs nor is ever claimed.</summary>
    public double? F1 => Share(2 * TruePositives, (2 * TruePositives) + FalsePositives + FalseNegatives);

    public static Detection Count(IEnumerable<(bool IsPositive, bool IsFound)> cases)
    {
        var counts = new int[4];
        foreach (var (isPositive, isFound) in cases)
        {
            counts[(isPositive ? 2 : 0) + (isFound ? 1 : 0)]++;
        }

        return new Detection(counts[3], counts[1], counts[2], counts[0]);
    }

    private static double? Share(int part, int whole) => whole == 0 ? null : (double)part / whole;
}
