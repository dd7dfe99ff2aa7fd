namespace PsyLite.Agent.Humour;

/// <summary>
/// BM25 (Robertson and Zaragoza, 2009) over character unigrams and bigrams, which need no word list for Chinese. In memory; for a few
/// thousand passages.
/// </summary>
internal sealed class PassageIndex
{
    private const double K1 = 1.2;
    private const double B = 0.6;

    /// <summary>Single characters say little; pairs carry the meaning.</summary>
    private const double UnigramWeight = 0.15;
    private const string Fillers = "的了是我你他她它们在有和就不都也很这那个一上着过吗吧呢啊呀啦哈嘿嗯哦么什怎说太好真今天";
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

        _averageLength = _lengths.Count == 0 ? 1 : _lengths.Average();
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

            var rarity = Math.Log(1 + ((_lengths.Count - list.Count + 0.5) / (list.Count + 0.5)));
            var weight = gram.Length == 1 ? UnigramWeight : 1;
            foreach (var (passage, count) in list)
            {
                var norm = K1 * (1 - B + (B * _lengths[passage] / _averageLength));
                scores[passage] = scores.GetValueOrDefault(passage) + (weight * rarity * count * (K1 + 1) / (count + norm));
            }
        }

        return [.. scores.OrderByDescending(s => s.Value).ThenBy(s => s.Key).Take(most).Select(s => (s.Key, s.Value))];
    }

    private static IEnumerable<string> Grams(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsLetterOrDigit(text[i]) || Fillers.Contains(text[i]))
            {
                continue;
            }

            yield return text[i].ToString();
            if (i + 1 < text.Length && char.IsLetterOrDigit(text[i + 1]) && !Fillers.Contains(text[i + 1]))
            {
                yield return text.Substring(i, 2);
            }
        }
    }
}
