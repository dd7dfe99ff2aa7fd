namespace PsyLite.Models.Text;

/// <summary>Kind of a vocabulary entry; SentencePiece and GGUF (<c>tokenizer.ggml.token_type</c>) use the same numbers.</summary>
public enum PieceType
{
    /// <summary>Made by merging.</summary>
    Normal = 1,

    /// <summary>Stands for text that the vocabulary cannot express; exactly one.</summary>
    Unknown = 2,

    /// <summary>Never produced from text, invisible when decoded: <c>&lt;s&gt;</c>, <c>&lt;|im_start|&gt;</c>.</summary>
    Control = 3,

    /// <summary>Always one token wherever its text occurs.</summary>
    UserDefined = 4,

    /// <summary>Takes part in merging but is split again in the result.</summary>
    Unused = 5,

    /// <summary>One byte of UTF-8, written <c>&lt;0x41&gt;</c>.</summary>
    Byte = 6,
}

/// <summary>One vocabulary entry.</summary>
/// <param name="Text">The piece as stored: '▁' (U+2581) stands for a space.</param>
/// <param name="Score">Merge priority: the higher, the earlier.</param>
/// <param name="Type">How encoding and decoding treat it.</param>
public readonly record struct SentencePiece(string Text, float Score, PieceType Type);

/// <summary>The settings of a SentencePiece model that change encoding or decoding; defaults are those of sentencepiece_model.proto.</summary>
public sealed record SentencePieceSettings
{
    /// <summary>Name of the normalisation rule; only rules without a character map can be used ("identity").</summary>
    public string NormalizerName { get; init; } = "identity";

    /// <summary>A space is put before the text.</summary>
    public bool AddDummyPrefix { get; init; } = true;

    /// <summary>Leading, trailing and repeated spaces are dropped.</summary>
    public bool RemoveExtraWhitespaces { get; init; } = true;

    /// <summary>Spaces become '▁' before merging.</summary>
    public bool EscapeWhitespaces { get; init; } = true;

    /// <summary>The dummy space goes behind the text instead of before it.</summary>
    public bool TreatWhitespaceAsSuffix { get; init; }

    /// <summary>Unknown characters become byte pieces instead of the unknown piece.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>Text of the piece that begins a sequence.</summary>
    public string BosPiece { get; init; } = "<s>";

    /// <summary>Text of the piece that ends a sequence.</summary>
    public string EosPiece { get; init; } = "</s>";

    /// <summary>Text of the padding piece; few models have one.</summary>
    public string PadPiece { get; init; } = "<pad>";

    /// <summary>What the unknown piece decodes to.</summary>
    public string UnknownSurface { get; init; } = " \u2047 ";
}
