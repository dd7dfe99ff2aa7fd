using System.Numerics;

namespace PsyLite.Agent.Risk.Patterns;

/// <summary>
/// Finds all occurrences of many words in one pass (Aho and Corasick, 1975). Immutable after construction and safe to share.
/// </summary>
internal sealed class AnchorScanner
{
    private readonly int[] _root = new int[char.MaxValue + 1];
    private readonly long[] _keys;
    private readonly int[] _targets;
    private readonly int _mask;
    private readonly int[] _fail;
    private readonly int[][] _outputs;

    /// <summary>Words and, for each, the number reported when it is found.</summary>
    public AnchorScanner(IEnumerable<(string Word, int Number)> words)
    {
        var edges = new Dictionary<(int State, char C), int>();
        var outputs = new List<List<int>> { new() };
        var depth = new List<int> { 0 };
        foreach (var (word, number) in words)
        {
            var state = 0;
            foreach (var c in word)
            {
                if (!edges.TryGetValue((state, c), out var child))
                {
                    child = outputs.Count;
                    edges[(state, c)] = child;
                    outputs.Add([]);
                    depth.Add(depth[state] + 1);
                }

                state = child;
            }

            outputs[state].Add(number);
        }

        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, edges.Count * 3));
        (_keys, _targets, _mask, _fail) = (new long[size], new int[size], size - 1, new int[outputs.Count]);
        foreach (var ((state, c), child) in edges)
        {
            Insert(state, c, child);
        }

        foreach (var ((state, c), child) in edges.OrderBy(edge => depth[edge.Value]))
        {
            _fail[child] = state == 0 ? 0 : Next(_fail[state], c);
            outputs[child].AddRange(outputs[_fail[child]]);
        }

        _outputs = [.. outputs.Select(o => o.Distinct().ToArray())];
    }

    /// <summary>Adds every number whose word occurs, with the position just behind the occurrence.</summary>
    public void Scan(string text, List<(int Number, int End)> found)
    {
        var state = 0;
        for (var i = 0; i < text.Length; i++)
        {
            state = Next(state, text[i]);
            foreach (var number in _outputs[state])
            {
                found.Add((number, i + 1));
            }
        }
    }

    private int Next(int state, char c)
    {
        while (state != 0)
        {
            // Zero marks an empty slot; keys are never zero because no edge leaves state 0 in this table.
            var key = ((long)state << 16) | c;
            for (var slot = Slot(key); _keys[slot] != 0; slot = (slot + 1) & _mask)
            {
                if (_keys[slot] == key)
                {
                    return _targets[slot];
                }
            }

            state = _fail[state];
        }

        return _root[c];
    }

    private int Slot(long key) => (int)((ulong)(key * -7046029254386353131L) >> 40) & _mask;

    private void Insert(int state, char c, int child)
    {
        if (state == 0)
        {
            _root[c] = child;
            return;
        }

        var key = ((long)state << 16) | c;
        var slot = Slot(key);
        while (_keys[slot] != 0)
        {
            slot = (slot + 1) & _mask;
        }

        _keys[slot] = key;
        _targets[slot] = child;
    }
}
