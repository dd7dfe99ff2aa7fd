using System.Numerics;

namespace PsyLite.Agent.Risk.Learned;

/// <summary>Finds the longest of many words at a place in a text. Latin words match whole words only. Immutable and safe to share.</summary>
internal sealed class WordTrie
{
    private readonly int[] _root = new int[char.MaxValue + 1];
    private readonly ulong[] _keys;
    private readonly int[] _targets;
    private readonly int _mask;
    private readonly int[] _word;

    public WordTrie(IReadOnlyList<string> words)
    {
        var edges = new Dictionary<ulong, int>();
        var ends = new List<int> { -1 };
        for (var number = 0; number < words.Count; number++)
        {
            var state = 0;
            foreach (var c in words[number])
            {
                var key = Key(state, c);
                if (!edges.TryGetValue(key, out var next))
                {
                    next = ends.Count;
                    edges.Add(key, next);
                    ends.Add(-1);
                }

                state = next;
            }

            ends[state] = number;
        }

        _word = [.. ends];
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, edges.Count * 2));
        (_keys, _targets, _mask) = (new ulong[size], new int[size], size - 1);
        foreach (var (key, target) in edges)
        {
            if (key >> 16 == 0)
            {
                _root[(char)key] = target;
                continue;
            }

            var slot = Slot(key);
            while (_keys[slot] != 0)
            {
                slot = (slot + 1) & _mask;
            }

            (_keys[slot], _targets[slot]) = (key, target);
        }
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

        var state = _root[text[at]];
        for (var end = at + 1; state != 0; end++)
        {
            var isWhole = end == text.Length || !char.IsAsciiLetter(text[end]) || !char.IsAsciiLetter(text[end - 1]);
            if (_word[state] >= 0 && isWhole)
            {
                (best, length) = (_word[state], end - at);
            }

            state = end < text.Length ? Next(state, text[end]) : 0;
        }

        return best;
    }

    private static ulong Key(int state, char c) => ((ulong)state << 16) | c;

    private int Slot(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> 40) & _mask;

    private int Next(int state, char c)
    {
        var key = Key(state, c);
        for (var slot = Slot(key); _keys[slot] != 0; slot = (slot + 1) & _mask)
        {
            if (_keys[slot] == key)
            {
                return _targets[slot];
            }
        }

        return 0;
    }
}
