namespace PsyLite.Agent.Retrieval;

/// <summary>BM25 over single characters and pairs, in memory; for a few thousand passages. Needs no file and cannot fail.</summary>
public sealed class PassageIndex
{
    /// <summary>Single characters say little; pairs carry the meaning.</summary>
    private const double SingleWeight = 0.15;
    private readonly Dictionary<string, List<(int Passage, int Count)>> _postings = [];
    private readonly List<int> _lengths = [];
    private readonly double _averageLength;

    public PassageIndex(IEnumerable<string> passages)
    {
        foreach (var passage in passages)
        {
            var grams = Grams(passage).ToList();
            foreach (var group in grams.GroupBy(g => g))
            {
                if (!_postings.TryGetValue(group.Key, out var list))
                {
                    _postings[group.Key] = list = [];
                }

                list.Add((_lengths.Count, group.Count()));
            }

            _lengths.Add(grams.Count);
        }

        _averageLength = _lengths.Count == 0 ? 1 : Math.Max(1, _lengths.Average());
    }

    /// <summary>Passages that share something with the query, best first.</summary>
    public IReadOnlyList<(int Passage, double Score)> Search(string query, int most)
    {
        var scores = new Dictionary<int, double>();
        foreach (var gram in Grams(query).Distinct())
        {
            if (!_postings.TryGetValue(gram, out var list))
            {
                continue;
            }

            var weight = Bm25.Rarity(_lengths.Count, list.Count) * (gram.Length == 1 ? SingleWeight : 1);
            foreach (var (passage, count) in list)
            {
                scores[passage] = scores.GetValueOrDefault(passage) + (weight * Bm25.Saturation(count, _lengths[passage], _averageLength));
            }
        }

        return [.. scores.OrderByDescending(s => s.Value).ThenBy(s => s.Key).Take(most).Select(s => (s.Key, s.Value))];
    }

    private static IEnumerable<string> Grams(string text)
    {
        var folded = PassageGrams.Fold(text);
        return PassageGrams.Of(folded, 1).Concat(PassageGrams.Of(folded, 2));
    }
}
