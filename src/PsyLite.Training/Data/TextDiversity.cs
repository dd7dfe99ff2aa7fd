namespace PsyLite.Training.Data;

/// <summary>
/// Distinct-n (Li et al. 2016, "A Diversity-Promoting Objective Function"): distinct character n-grams over all of them.
/// </summary>
public static class TextDiversity
{
    /// <param name="texts">Texts; n-grams do not run across two of them.</param>
    /// <param name="n">Length of the n-gram in UTF-16 characters.</param>
    public static (long Distinct, long Total, double Ratio) DistinctN(IEnumerable<string> texts, int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var lookup = seen.GetAlternateLookup<ReadOnlySpan<char>>();
        long total = 0;
        foreach (var text in texts)
        {
            for (var i = 0; i + n <= text.Length; i++)
            {
                lookup.Add(text.AsSpan(i, n));
                total++;
            }
        }

        return (seen.Count, total, total == 0 ? 0 : (double)seen.Count / total);
    }
}
