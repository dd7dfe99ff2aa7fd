using System.Runtime.InteropServices;
using System.Text;

namespace PsyLite.Models.Text;

/// <summary>
/// What merging needs to know of a vocabulary, as integers. A symbol is the id of a piece or, above the vocabulary, the number of a
/// character that occurs inside pieces without being one.
/// </summary>
internal sealed class SymbolTable
{
    /// <summary>No piece contains these two symbols side by side, so no merge can ever cross the place between them.</summary>
    internal const int NeverAdjacent = -2;

    /// <summary>The two symbols do not form a piece, but text may still merge across the place between them.</summary>
    internal const int NoMerge = -1;

    /// <summary>Symbol of a character that no piece contains.</summary>
    internal const int Unknown = -1;

    private const int StartsFixedFlag = 1 << 30;

    private readonly SentencePieceModel _model;
    private readonly Dictionary<string, int> _symbolOf;
    private readonly List<string> _extraCharacters = [];
    private readonly int[] _basicPlane = new int[char.MaxValue + 1];
    private readonly Dictionary<int, int> _higherPlanes = [];
    private readonly float[] _scores;
    private ulong[] _keys = new ulong[1024];
    private int[] _values = new int[1024];
    private int _count;

    internal SymbolTable(SentencePieceModel model)
    {
        _model = model;
        _symbolOf = new Dictionary<string, int>(model.Mergeable, StringComparer.Ordinal);
        _scores = [.. model.Pieces.Select(p => p.Score)];
        foreach (var piece in model.PieceSpan)
        {
            if (IsMergeable(piece.Type))
            {
                AddCharacters(piece.Text);
            }
        }

        for (var id = 0; id < model.VocabSize; id++)
        {
            if (model.PieceSpan[id].Type is PieceType.Normal or PieceType.Unused)
            {
                AddPairs(id, model.PieceSpan[id].Text);
            }
        }

        FixedPieces = new PieceTrie(model.Pieces.Index().Where(p => p.Item.Type == PieceType.UserDefined).Select(p => (p.Item.Text, p.Index)));
        foreach (var first in FixedPieces.FirstCharacters)
        {
            _basicPlane[first] |= StartsFixedFlag;
        }
    }

    /// <summary>User-defined pieces: matched before merging, never merged themselves.</summary>
    internal PieceTrie FixedPieces { get; }

    /// <summary>Merging can produce unused pieces, so merged text may have to be split again.</summary>
    internal bool HasUnused { get; private set; }

    internal int VocabSize => _scores.Length;

    internal float Score(int piece) => _scores[piece];

    internal bool IsUnused(int symbol) => symbol < _scores.Length && _model.PieceSpan[symbol].Type == PieceType.Unused;

    /// <summary>Text of a symbol above the vocabulary.</summary>
    internal string ExtraCharacter(int symbol) => _extraCharacters[symbol - _scores.Length];

    /// <summary>The symbol of the character at the start of <paramref name="text"/>, its length in UTF-16 units, and whether a user-defined piece may begin there.</summary>
    internal (int Symbol, int Length, bool StartsFixed) First(ReadOnlySpan<char> text)
    {
        var entry = _basicPlane[text[0]];
        var startsFixed = (entry & StartsFixedFlag) != 0;
        if (!char.IsSurrogate(text[0]))
        {
            return ((entry & ~StartsFixedFlag) - 1, 1, startsFixed);
        }

        // A lone surrogate decodes to U+FFFD with length 1.
        Rune.DecodeFromUtf16(text, out var rune, out var length);
        return rune.IsBmp
            ? ((_basicPlane[rune.Value] & ~StartsFixedFlag) - 1, length, startsFixed)
            : (_higherPlanes.GetValueOrDefault(rune.Value) - 1, length, startsFixed);
    }

    /// <summary>The piece two neighbouring symbols form, or <see cref="NoMerge"/>, or <see cref="NeverAdjacent"/>.</summary>
    internal int Merge(int left, int right)
    {
        if (left < 0 || right < 0)
        {
            return NeverAdjacent;
        }

        var key = Key(left, right);
        var mask = _keys.Length - 1;
        for (var slot = Slot(key) & mask; ; slot = (slot + 1) & mask)
        {
            if (_keys[slot] == key)
            {
                return _values[slot];
            }

            if (_keys[slot] == 0)
            {
                return NeverAdjacent;
            }
        }
    }

    private static bool IsMergeable(PieceType type) => type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused;

    // +1 keeps 0 free for "empty".
    private static ulong Key(int left, int right) => ((ulong)(uint)(left + 1) << 32) | (uint)(right + 1);

    private static int Slot(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> 33);

    private void AddCharacters(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            ref var symbol = ref rune.IsBmp
                ? ref _basicPlane[rune.Value]
                : ref CollectionsMarshal.GetValueRefOrAddDefault(_higherPlanes, rune.Value, out _);
            if (symbol != 0)
            {
                continue;
            }

            var character = rune.ToString();
            if (!_symbolOf.TryGetValue(character, out var id))
            {
                id = _scores.Length + _extraCharacters.Count;
                _extraCharacters.Add(character);
                _symbolOf.Add(character, id);
            }

            // Stored as symbol + 1 so that an untouched entry reads as unknown.
            symbol = id + 1;
        }
    }

    private void AddPairs(int id, string text)
    {
        var symbolOf = _symbolOf.GetAlternateLookup<ReadOnlySpan<char>>();
        var previous = -1;
        for (int at = 0, length; at < text.Length; at += length)
        {
            (var symbol, length, _) = First(text.AsSpan(at));
            if (at > 0)
            {
                Put(previous, symbol, NoMerge);
                if (symbolOf.TryGetValue(text.AsSpan(0, at), out var left) && symbolOf.TryGetValue(text.AsSpan(at), out var right)
                    && !IsFixed(left) && !IsFixed(right))
                {
                    Put(left, right, id);
                    HasUnused |= IsUnused(id);
                }
            }

            previous = symbol;
        }
    }

    private bool IsFixed(int symbol) => symbol < _scores.Length && _model.PieceSpan[symbol].Type == PieceType.UserDefined;

    private void Put(int left, int right, int value)
    {
        if (_count * 2 >= _keys.Length)
        {
            Grow();
        }

        var key = Key(left, right);
        var mask = _keys.Length - 1;
        var slot = Slot(key) & mask;
        while (_keys[slot] != 0 && _keys[slot] != key)
        {
            slot = (slot + 1) & mask;
        }

        if (_keys[slot] == 0)
        {
            _keys[slot] = key;
            _values[slot] = value;
            _count++;
        }
        else if (value >= 0)
        {
            _values[slot] = value;
        }
    }

    private void Grow()
    {
        var (keys, values) = (_keys, _values);
        _keys = new ulong[keys.Length * 2];
        _values = new int[keys.Length * 2];
        _count = 0;
        for (var slot = 0; slot < keys.Length; slot++)
        {
            if (keys[slot] != 0)
            {
                Put((int)(keys[slot] >> 32) - 1, (int)(uint)keys[slot] - 1, values[slot]);
            }
        }
    }
}
