using PsyLite.Agent.Risk.Patterns;

namespace PsyLite.Agent.Risk.Learned;

/// <summary>Finds the longest of many words at a place in a text. Latin words match whole words only. Immutable and safe to share.</summary>
internal sealed class WordTrie
{
    private readonly EdgeTable _edges;
    private readonly int[] _word;

    public WordTrie(IReadOnlyList<string> words)
    {
        var edges = new Dictionary<(int State, char C), int>();
        var ends = new List<int> { -1 };
        for (var number = 0; number < words.Count; number++)
        {
            var state = 0;
            foreach (var c in words[number])
            {
                if (!edges.TryGetValue((state, c), out var next))
                {
                    next = ends.Count;
                    edges.Add((state, c), next);
                    ends.Add(-1);
                }

                state = next;
            }

            ends[state] = number;
        }

        _word = [.. ends];
        _edges = new EdgeTable(edges);
    }

    /// <summary>Number of the longest word at <paramref name="at"/>, -1 if there is none.</summary>
    public int Longest(ReadOnlySpan<char> text, int at, out int length)
    {
        length = 0;
        var best = -1;
        if (char.IsAsciiLetter(text[at]) && at > 0 && char.IsAsciiLetter(text[at - 1]))
        {
            return best;
        }

        var state = _edges.FromRoot(text[at]);
        for (var end = at + 1; state != 0; end++)
        {
            var isWhole = end == text.Length || !char.IsAsciiLetter(text[end]) || !char.IsAsciiLetter(text[end - 1]);
            if (_word[state] >= 0 && isWhole)
            {
                (best, length) = (_word[state], end - at);
            }

            state = end < text.Length ? _edges.From(state, text[end]) : 0;
        }

        return best;
    }
}
