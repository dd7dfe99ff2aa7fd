namespace PsyLite.Agent.Risk.Learned;

/// <summary>
/// Words grouped by what they mean for the question at hand: the classifier's substitute for pretrained word vectors. Immutable and safe to share.
/// File: one concept a line, <c>name: word word_with_space …</c>; a word may stand in several concepts.
/// </summary>
internal sealed class ConceptLexicon
{
    private readonly ushort[][] _sets;
    private readonly WordTrie _trie;

    public ConceptLexicon(string text, Func<string, string> fold)
    {
        var concepts = new Dictionary<string, SortedSet<ushort>>();
        var names = new List<string>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(l => l[0] != '#'))
        {
            var colon = line.IndexOf(':');
            if (colon < 1)
            {
                throw new FormatException($"The concept line '{line[..Math.Min(20, line.Length)]}' lacks its name.");
            }

            foreach (var word in line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                var folded = fold(word.Replace('_', ' '));
                if (folded.Length == 0)
                {
                    continue;
                }

                if (!concepts.TryGetValue(folded, out var set))
                {
                    concepts.Add(folded, set = []);
                }

                set.Add((ushort)names.Count);
            }

            names.Add(line[..colon]);
        }

        Count = names.Count;
        _sets = [.. concepts.Values.Select(s => s.ToArray())];
        _trie = new WordTrie([.. concepts.Keys]);
    }

    /// <summary>Number of concepts.</summary>
    public int Count { get; }

    /// <summary>Number of distinct words.</summary>
    public int Words => _sets.Length;

    /// <summary>Concepts of the longest word that begins at <paramref name="at"/>; empty and length 1 when none does.</summary>
    public ReadOnlySpan<ushort> Match(ReadOnlySpan<char> text, int at, out int length)
    {
        var word = _trie.Longest(text, at, out length);
        if (word < 0)
        {
            length = 1;
            return [];
        }

        return _sets[word];
    }
}
