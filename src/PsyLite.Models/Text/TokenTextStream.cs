using System.Text;

namespace PsyLite.Models.Text;

/// <summary>
/// Decodes tokens one by one as they are generated. Byte pieces are held back until they form a character, so no half characters come
/// out; the pieces put together equal <see cref="SentencePieceTokenizer.Decode"/>. Not safe for concurrent use.
/// </summary>
public sealed class TokenTextStream
{
    private readonly SentencePieceTokenizer _tokenizer;
    private readonly bool _showControl;
    private readonly bool _dropsFirstSpace;
    private readonly byte[] _bytes = new byte[4];
    private int _byteCount;
    private bool _hasText;
    private bool _atStart = true;
    private bool _droppedSpace;

    /// <summary>Begins a new text.</summary>
    /// <param name="tokenizer">Whose ids will be appended.</param>
    /// <param name="showControl">Write control pieces out instead of skipping them.</param>
    public TokenTextStream(SentencePieceTokenizer tokenizer, bool showControl = false)
    {
        _tokenizer = tokenizer;
        _showControl = showControl;
        _dropsFirstSpace = tokenizer.Model.Settings is { AddDummyPrefix: true } or { RemoveExtraWhitespaces: true };
    }

    /// <summary>Appends the text that became certain with this token; often a piece, sometimes nothing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public void Append(int id, StringBuilder text)
    {
        var before = text.Length;
        var surface = _tokenizer.SurfaceOf(id);
        var type = _tokenizer.Model.PieceSpan[id].Type;
        if (type == PieceType.Byte)
        {
            _bytes[_byteCount++] = Convert.ToByte(surface.Substring(3, 2), 16);
            DrainBytes(text, isLast: false);
        }
        else
        {
            DrainBytes(text, isLast: true);
            _hasText |= text.Length > before;
            _atStart &= !_droppedSpace && !_hasText;
            _droppedSpace = false;
            text.Append(SurfaceHere(surface, type));
        }

        _hasText |= text.Length > before;
    }

    /// <summary>Ends the text: bytes that never became a character come out as U+FFFD.</summary>
    public void Finish(StringBuilder text) => DrainBytes(text, isLast: true);

    private ReadOnlySpan<char> SurfaceHere(string surface, PieceType type)
    {
        switch (type)
        {
            case PieceType.Control:
                return _showControl ? surface : "";
            case PieceType.Unknown:
                return _tokenizer.Model.Settings.UnknownSurface;
        }

        if (!_atStart || !_dropsFirstSpace || surface[0] != ' ')
        {
            return surface;
        }

        // Where extra spaces are removed, every piece before the first text loses one.
        _droppedSpace = !_tokenizer.Model.Settings.RemoveExtraWhitespaces;
        return surface.AsSpan(1);
    }

    private void DrainBytes(StringBuilder text, bool isLast)
    {
        while (_byteCount > 0)
        {
            var status = Rune.DecodeFromUtf8(_bytes.AsSpan(0, _byteCount), out var rune, out var consumed);
            if (status == System.Buffers.OperationStatus.NeedMoreData && !isLast)
            {
                return;
            }

            // SentencePiece replaces every stray byte by itself, not a broken sequence as a whole.
            consumed = status == System.Buffers.OperationStatus.Done ? consumed : 1;
            text.Append(rune.ToString());
            _byteCount -= consumed;
            _bytes.AsSpan(consumed, _byteCount).CopyTo(_bytes);
        }
    }
}
