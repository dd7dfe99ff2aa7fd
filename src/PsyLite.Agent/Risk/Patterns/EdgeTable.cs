using System.Numerics;

namespace PsyLite.Agent.Risk.Patterns;

/// <summary>
/// The edges of a trie over characters: an array for the root, which every character meets, and an open hash table for the rest. State 0 is
/// the root, and no edge leads back to it. Immutable after construction.
/// </summary>
internal sealed class EdgeTable
{
    private readonly int[] _root = new int[char.MaxValue + 1];
    private readonly ulong[] _keys;
    private readonly int[] _targets;
    private readonly int _mask;

    public EdgeTable(IReadOnlyDictionary<(int State, char C), int> edges)
    {
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, edges.Count * 3));
        (_keys, _targets, _mask) = (new ulong[size], new int[size], size - 1);
        foreach (var ((state, c), target) in edges)
        {
            if (state == 0)
            {
                _root[c] = target;
                continue;
            }

            var key = Key(state, c);
            var slot = Slot(key);
            while (_keys[slot] != 0)
            {
                slot = (slot + 1) & _mask;
            }

            (_keys[slot], _targets[slot]) = (key, target);
        }
    }

    /// <summary>Where <paramref name="c"/> leads from the root; 0 when nowhere.</summary>
    public int FromRoot(char c) => _root[c];

    /// <summary>Where <paramref name="c"/> leads from a state other than the root; 0 when nowhere.</summary>
    public int From(int state, char c)
    {
        // Zero marks an empty slot; keys are never zero because no edge leaves state 0 in this table.
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

    private static ulong Key(int state, char c) => ((ulong)state << 16) | c;

    private int Slot(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> 40) & _mask;
}
