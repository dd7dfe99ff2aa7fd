namespace PsyLite.Agent.Retrieval;

/// <summary>The two halves of BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, section 3.4).</summary>
public static class Bm25
{
    private const double K1 = 1.2;
    private const double B = 0.6;

    /// <summary>Inverse document frequency, kept above zero for terms that most passages hold.</summary>
    public static double Rarity(double passages, double holding) => Math.Log(1 + ((passages - holding + 0.5) / (holding + 0.5)));

    /// <summary>What <paramref name="count"/> occurrences are worth in a passage of this length.</summary>
    public static double Saturation(double count, double length, double averageLength) =>
        count * (K1 + 1) / (count + (K1 * (1 - B + (B * length / averageLength))));
}
