namespace PsyLite.Agent.Retrieval;

/// <summary>
/// Reciprocal rank fusion (Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
/// Methods", SIGIR 2009): a passage is worth the sum of 1 / (60 + its rank) over the rankings that hold it.
/// </summary>
public static class RankFusion
{
    /// <summary>The k of the paper; it keeps one ranking's first place from outvoting all others.</summary>
    private const int K = 60;

    /// <summary>Keys with their fused scores, best first; ties stay in the order of first appearance.</summary>
    public static IReadOnlyList<(T Key, double Score)> Fuse<T>(params IEnumerable<IEnumerable<T>> rankings)
        where T : notnull
    {
        var scores = new Dictionary<T, double>();
        var order = new List<T>();
        foreach (var ranking in rankings)
        {
            var rank = 0;
            foreach (var key in ranking)
            {
                rank++;
                if (!scores.TryGetValue(key, out var score))
                {
                    order.Add(key);
                }

                scores[key] = score + (1.0 / (K + rank));
            }
        }

        return [.. order.Select(key => (key, scores[key])).OrderByDescending(s => s.Item2)];
    }
}
