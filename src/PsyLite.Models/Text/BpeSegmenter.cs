using System.Buffers;
using System.Text;

namespace PsyLite.Models.Text;

/// <summary>
/// Merges the characters of one normalised text into pieces: always the neighbouring pair with the highest score, the leftmost of
/// equals. Same result as bpe_model.cc of SentencePiece 0.1.97, by two shortcuts: pairs of symbols are looked up as integers, and the
/// text is cut where no piece could span (see <see cref="SymbolTable.NeverAdjacent"/>), so that most runs are a few characters long.
/// </summary>
internal ref struct BpeSegmenter
{
    /// <summary>Up to this many symbols a scan for the best pair beats a heap.</summary>
    private const int ScanLimit = 40;

    private readonly SymbolTable _table;
    private readonly SentencePieceModel _model;
    private readonly ReadOnlySpan<char> _text;
    private readonly List<int> _output;

    // One run: symbols, where they start in the text, and what each forms with its right neighbour.
    private readonly Span<int> _symbols;
    private readonly Span<int> _starts;
    private readonly Span<int> _merges;
    private int _count;
    private bool _lastWasUnknown;

    private BpeSegmenter(SymbolTable table, SentencePieceModel model, ReadOnlySpan<char> text, Span<int> work, List<int> output)
    {
        _table = table;
        _model = model;
        _text = text;
        _output = output;
        _symbols = work[..text.Length];
        _starts = work.Slice(text.Length, text.Length);
        _merges = work.Slice(2 * text.Length, text.Length);
    }

    internal static void Run(SymbolTable table, SentencePieceModel model, ReadOnlySpan<char> text, List<int> output)
    {
        const int StackLimit = 256;
        if (text.Length <= StackLimit)
        {
            new BpeSegmenter(table, model, text, stackalloc int[3 * StackLimit], output).Run();
            return;
        }

        var rented = ArrayPool<int>.Shared.Rent(checked(3 * text.Length));
        try
        {
            new BpeSegmenter(table, model, text, rented, output).Run();
        }
        finally
        {
            ArrayPool<int>.Shared.Return(rented);
        }
    }

    private void Run()
    {
        for (int at = 0, length; at < _text.Length; at += length)
        {
            (var symbol, length, var startsFixed) = _table.First(_text[at..]);
            if (startsFixed && _table.FixedPieces.LongestPrefix(_text[at..]) is ( >= 0, _) match)
            {
                (symbol, length) = match;
            }
            else
            {
                startsFixed = false;
            }

            if (_count > 0)
            {
                var merge = startsFixed ? SymbolTable.NeverAdjacent : _table.Merge(_symbols[_count - 1], symbol);

                // Splitting unused pieces again looks at the merges of the whole text, so it must stay one run.
                if (merge == SymbolTable.NeverAdjacent && !_table.HasUnused)
                {
                    Flush(at);
                }
                else
                {
                    _merges[_count - 1] = Math.Max(merge, SymbolTable.NoMerge);
                }
            }

            _symbols[_count] = symbol;
            _starts[_count++] = at;
        }

        Flush(_text.Length);
    }

    private void Flush(int end)
    {
        if (_count > ScanLimit || (_table.HasUnused && _count > 1))
        {
            MergeByHeap(end);
        }
        else
        {
            MergeByScan();
            for (var i = 0; i < _count; i++)
            {
                Emit(_symbols[i], _starts[i], i + 1 < _count ? _starts[i + 1] : end);
            }
        }

        _count = 0;
    }

    private void MergeByScan()
    {
        while (_count > 1)
        {
            var best = -1;
            var bestScore = float.NegativeInfinity;
            for (var i = 0; i < _count - 1; i++)
            {
                if (_merges[i] >= 0 && (best < 0 || _table.Score(_merges[i]) > bestScore))
                {
                    (best, bestScore) = (i, _table.Score(_merges[i]));
                }
            }

            if (best < 0)
            {
                return;
            }

            _symbols[best] = _merges[best];
            _symbols[(best + 2).._count].CopyTo(_symbols[(best + 1)..]);
            _starts[(best + 2).._count].CopyTo(_starts[(best + 1)..]);
            _merges[(best + 1).._count].CopyTo(_merges[best..]);
            _count--;
            if (best > 0)
            {
                _merges[best - 1] = _table.Merge(_symbols[best - 1], _symbols[best]);
            }

            if (best < _count - 1)
            {
                _merges[best] = _table.Merge(_symbols[best], _symbols[best + 1]);
            }
        }
    }

    private void MergeByHeap(int end)
    {
        var next = ArrayPool<int>.Shared.Rent(_count);
        var previous = ArrayPool<int>.Shared.Rent(_count);
        var queue = new PriorityQueue<Candidate, (float Score, int Left)>(_count, BestFirst.Instance);
        var splits = _table.HasUnused ? new Dictionary<int, (int Left, int Right)>() : null;
        for (var i = 0; i < _count; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1 < _count ? i + 1 : -1);
        }

        for (var i = 0; i + 1 < _count; i++)
        {
            Propose(queue, splits, i, i + 1, _merges[i]);
        }

        while (queue.TryDequeue(out var c, out _))
        {
            if (_symbols[c.Left] != c.LeftSymbol || _symbols[c.Right] != c.RightSymbol || next[c.Left] != c.Right)
            {
                continue;
            }

            _symbols[c.Left] = c.Merged;
            _symbols[c.Right] = int.MinValue;
            var after = next[c.Left] = next[c.Right];
            if (previous[c.Left] is >= 0 and var before)
            {
                Propose(queue, splits, before, c.Left, _table.Merge(_symbols[before], c.Merged));
            }

            if (after >= 0)
            {
                previous[after] = c.Left;
                Propose(queue, splits, c.Left, after, _table.Merge(c.Merged, _symbols[after]));
            }
        }

        for (var i = 0; i >= 0; i = next[i])
        {
            EmitSplit(splits, _symbols[i], _starts[i], next[i] >= 0 ? _starts[next[i]] : end);
        }

        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
    }

    private readonly void Propose(
        PriorityQueue<Candidate, (float Score, int Left)> queue, Dictionary<int, (int Left, int Right)>? splits, int left, int right, int merged)
    {
        if (merged < 0)
        {
            return;
        }

        queue.Enqueue(new Candidate(left, right, _symbols[left], _symbols[right], merged), (_table.Score(merged), left));
        if (splits is not null && _table.IsUnused(merged))
        {
            splits[merged] = (_symbols[left], _symbols[right]);
        }
    }

    private void EmitSplit(Dictionary<int, (int Left, int Right)>? splits, int symbol, int start, int end)
    {
        if (splits is not null && symbol >= 0 && _table.IsUnused(symbol) && splits.TryGetValue(symbol, out var parts))
        {
            var middle = start + LengthOf(parts.Left);
            EmitSplit(splits, parts.Left, start, middle);
            EmitSplit(splits, parts.Right, middle, end);
            return;
        }

        Emit(symbol, start, end);
    }

    private readonly int LengthOf(int symbol) =>
        symbol < _table.VocabSize ? _model.PieceSpan[symbol].Text.Length : _table.ExtraCharacter(symbol).Length;

    private void Emit(int symbol, int start, int end)
    {
        if (symbol >= 0 && symbol < _table.VocabSize)
        {
            _output.Add(symbol);
            _lastWasUnknown = false;
        }
        else if (_model.Settings.ByteFallback)
        {
            EmitBytes(_text[start..end]);
        }
        else if (!_lastWasUnknown)
        {
            // A run of unknown characters is one unknown piece.
            _output.Add(_model.UnknownId);
            _lastWasUnknown = true;
        }
    }

    private readonly void EmitBytes(ReadOnlySpan<char> text)
    {
        Span<byte> utf8 = stackalloc byte[4];
        while (!text.IsEmpty)
        {
            Rune.DecodeFromUtf16(text, out var rune, out var consumed);
            foreach (var value in utf8[..rune.EncodeToUtf8(utf8)])
            {
                _output.Add(_model.ByteIds[value]);
            }

            text = text[consumed..];
        }
    }

    private readonly record struct Candidate(int Left, int Right, int LeftSymbol, int RightSymbol, int Merged);

    private sealed class BestFirst : IComparer<(float Score, int Left)>
    {
        internal static BestFirst Instance { get; } = new();

        public int Compare((float Score, int Left) x, (float Score, int Left) y) =>
            x.Score != y.Score ? y.Score.CompareTo(x.Score) : x.Left.CompareTo(y.Left);
    }
}
