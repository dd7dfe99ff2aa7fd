using System.Buffers;
using System.Text;

namespace PsyLite.Models.Text;

/// <summary>
/// Turns text into token ids and back, as spm_encode and spm_decode of SentencePiece 0.1.97 do for BPE models. Safe for use by several
/// threads at once.
/// </summary>
public sealed class SentencePieceTokenizer
{
    private const char SpaceSymbol = '\u2581';

    private readonly SymbolTable _symbols;
    private readonly PieceTrie _controls;
    private readonly SearchValues<char> _controlStarts;
    private readonly string[] _surfaces;

    /// <summary>Prepares a vocabulary for encoding (about 0.1 s for 92,544 pieces).</summary>
    public SentencePieceTokenizer(SentencePieceModel model)
    {
        Model = model;
        _symbols = new SymbolTable(model);
        _controls = new PieceTrie(model.Pieces.Index().Where(p => p.Item.Type == PieceType.Control).Select(p => (p.Item.Text, p.Index)));
        _controlStarts = SearchValues.Create([.. _controls.FirstCharacters]);
        _surfaces = [.. model.Pieces.Select(p => SentencePieceModel.Unescape(p.Text))];
    }

    /// <summary>The vocabulary.</summary>
    public SentencePieceModel Model { get; }

    /// <summary>Number of pieces; ids run from 0 to this minus one.</summary>
    public int VocabSize => Model.VocabSize;

    /// <summary>Token ids of a text; no sequence-begin or -end piece is added.</summary>
    /// <param name="text">Any UTF-16 text; a lone surrogate counts as U+FFFD.</param>
    /// <param name="allowSpecial">
    /// Whether control pieces written out in the text, such as <c>&lt;|im_start|&gt;</c>, become their control token. Leave it false for
    /// anything a user or a document wrote: such text then never yields a control token.
    /// </param>
    public int[] Encode(ReadOnlySpan<char> text, bool allowSpecial = false)
    {
        var output = new List<int>(text.Length / 2 + 8);
        Encode(text, output, allowSpecial);
        return [.. output];
    }

    /// <summary>Appends the token ids of a text to a list.</summary>
    /// <inheritdoc cref="Encode(ReadOnlySpan{char}, bool)"/>
    public void Encode(ReadOnlySpan<char> text, List<int> output, bool allowSpecial = false)
    {
        var from = 0;
        for (var at = 0; allowSpecial && at < text.Length;)
        {
            var step = text[at..].IndexOfAny(_controlStarts);
            if (step < 0)
            {
                break;
            }

            at += step;
            var (id, length) = _controls.LongestPrefix(text[at..]);
            if (id < 0)
            {
                at++;
                continue;
            }

            EncodePlain(text[from..at], output);
            output.Add(id);
            from = at += length;
        }

        EncodePlain(text[from..], output);
    }

    /// <summary>The text of token ids; bytes that do not form UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="showControl">Write control pieces out instead of skipping them.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool showControl = false)
    {
        var text = new StringBuilder(ids.Length * 2);
        var stream = new TokenTextStream(this, showControl);
        foreach (var id in ids)
        {
            stream.Append(id, text);
        }

        stream.Finish(text);
        return text.ToString();
    }

    /// <summary>Text of a piece with spaces in place of '▁'.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    internal string SurfaceOf(int id)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)id, (uint)_surfaces.Length, nameof(id));
        return _surfaces[id];
    }

    private void EncodePlain(ReadOnlySpan<char> text, List<int> output)
    {
        if (text.IsEmpty)
        {
            return;
        }

        // The dummy prefix can add one character; nothing else grows.
        var buffer = ArrayPool<char>.Shared.Rent(text.Length + 1);
        try
        {
            BpeSegmenter.Run(_symbols, Model, buffer.AsSpan(0, Normalize(text, buffer)), output);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }

    /// <summary>Writes the normalised text (normalizer.cc, without a character map) and returns its length.</summary>
    private int Normalize(ReadOnlySpan<char> text, Span<char> normalized)
    {
        var settings = Model.Settings;
        if (settings.RemoveExtraWhitespaces)
        {
            return NormalizeSpaces(text, normalized);
        }

        var space = settings.EscapeWhitespaces ? SpaceSymbol : ' ';
        var prefix = settings.AddDummyPrefix && !settings.TreatWhitespaceAsSuffix ? 1 : 0;
        text.Replace(normalized[prefix..], ' ', space);
        if (settings.AddDummyPrefix)
        {
            normalized[prefix == 1 ? 0 : text.Length] = space;
            return text.Length + 1;
        }

        return text.Length;
    }

    private int NormalizeSpaces(ReadOnlySpan<char> text, Span<char> normalized)
    {
        var settings = Model.Settings;
        var space = settings.EscapeWhitespaces ? SpaceSymbol : ' ';
        var at = 0;
        while (at < text.Length && text[at] == ' ' && UnitLength(text[at..]) == 1)
        {
            at++;
        }

        if (at == text.Length)
        {
            return 0;
        }

        var written = 0;
        if (settings.AddDummyPrefix && !settings.TreatWhitespaceAsSuffix)
        {
            normalized[written++] = space;
        }

        var afterSpace = true;
        while (at < text.Length)
        {
            var unit = text.Slice(at, UnitLength(text[at..]));
            at += unit.Length;
            unit = afterSpace ? unit.TrimStart(' ') : unit;
            if (!unit.IsEmpty)
            {
                unit.Replace(normalized[written..], ' ', space);
                written += unit.Length;
                afterSpace = unit[^1] == ' ';
            }
        }

        written = normalized[..written].TrimEnd(space).Length;
        if (settings.AddDummyPrefix && settings.TreatWhitespaceAsSuffix)
        {
            normalized[written++] = space;
        }

        return written;
    }

    /// <summary>Spaces inside a user-defined piece belong to it: the normaliser steps over such a piece as one unit.</summary>
    private int UnitLength(ReadOnlySpan<char> text) =>
        _symbols.FixedPieces.IsEmpty ? 1 : Math.Max(1, _symbols.FixedPieces.LongestPrefix(text).Length);
}
