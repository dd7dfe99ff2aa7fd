using System.Buffers;
using System.Text;

namespace PsyLite.Engine.Native;

/// <summary>Tokens and text of one model. Thread-safe.</summary>
internal sealed class Vocabulary
{
    private readonly ModelHandle model;

    /// <summary>UTF-8 of each token, filled when first needed; a race only computes an entry twice.</summary>
    private readonly byte[]?[] pieces;

    public Vocabulary(ModelHandle model)
    {
        this.model = model;
        Size = LlamaNative.VocabularySize(model.Vocabulary);
        pieces = new byte[Size][];
        BeginToken = LlamaNative.BeginToken(model.Vocabulary);
        AddsBegin = LlamaNative.AddsBegin(model.Vocabulary) != 0 && BeginToken >= 0;
    }

    public int Size { get; }

    /// <summary>The beginning-of-text token, or -1.</summary>
    public int BeginToken { get; }

    /// <summary>Whether the model expects <see cref="BeginToken"/> before every prompt.</summary>
    public bool AddsBegin { get; }

    public bool IsEndOfGeneration(int token) => LlamaNative.IsEndOfGeneration(model.Vocabulary, token) != 0;

    public bool IsControl(int token) => LlamaNative.IsControl(model.Vocabulary, token) != 0;

    /// <summary>Tokens of a text, with the model's begin and end tokens added only when asked for; special tokens in it are read as such only when allowed.</summary>
    public unsafe int[] Encode(string text, bool parseSpecial, bool addSpecial = false)
    {
        var size = Encoding.UTF8.GetMaxByteCount(text.Length);
        var bytes = ArrayPool<byte>.Shared.Rent(size);
        var tokens = ArrayPool<int>.Shared.Rent(size + 4);
        try
        {
            var length = Encoding.UTF8.GetBytes(text, bytes);
            fixed (byte* bytePointer = bytes)
            fixed (int* tokenPointer = tokens)
            {
                var count = LlamaNative.Tokenize(model.Vocabulary, bytePointer, length, tokenPointer, tokens.Length, addSpecial ? (byte)1 : (byte)0, parseSpecial ? (byte)1 : (byte)0);
                if (count < 0)
                {
                    throw new InvalidOperationException($"llama.cpp could not tokenise {length} bytes of text (code {count}).");
                }

                return tokens.AsSpan(0, count).ToArray();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            ArrayPool<int>.Shared.Return(tokens);
        }
    }

    /// <summary>UTF-8 of a token as it shows in a reply, possibly part of a character; control tokens show nothing, save the thinking tags.</summary>
    public ReadOnlySpan<byte> Piece(int token) => pieces[token] ??= ReadPiece(token);

    /// <summary>Text of tokens; special tokens appear by name when asked for, else not at all.</summary>
    public unsafe string Decode(ReadOnlySpan<int> tokens, bool special)
    {
        var capacity = 16 + tokens.Length * 8;
        while (true)
        {
            var bytes = new byte[capacity];
            fixed (int* tokenPointer = tokens)
            fixed (byte* bytePointer = bytes)
            {
                var length = LlamaNative.Detokenize(model.Vocabulary, tokenPointer, tokens.Length, bytePointer, capacity, 0, special ? (byte)1 : (byte)0);
                if (length >= 0)
                {
                    return Encoding.UTF8.GetString(bytes, 0, length);
                }

                capacity = -length;
            }
        }
    }

    private byte[] ReadPiece(int token)
    {
        var shown = ReadPiece(token, special: false);
        if (shown.Length > 0)
        {
            return shown;
        }

        var name = ReadPiece(token, special: true);
        return name.AsSpan().SequenceEqual("<think>"u8) || name.AsSpan().SequenceEqual("</think>"u8) ? name : [];
    }

    private unsafe byte[] ReadPiece(int token, bool special)
    {
        Span<byte> buffer = stackalloc byte[256];
        while (true)
        {
            fixed (byte* pointer = buffer)
            {
                var length = LlamaNative.TokenPiece(model.Vocabulary, token, pointer, buffer.Length, 0, special ? (byte)1 : (byte)0);
                if (length >= 0)
                {
                    return buffer[..length].ToArray();
                }

                buffer = new byte[-length];
            }
        }
    }
}
