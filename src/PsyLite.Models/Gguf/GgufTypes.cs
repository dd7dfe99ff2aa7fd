namespace PsyLite.Models.Gguf;

/// <summary>Type of a metadata value, as numbered in a GGUF file.</summary>
public enum GgufValueType : uint
{
    /// <summary>byte.</summary>
    UInt8 = 0,

    /// <summary>sbyte.</summary>
    Int8 = 1,

    /// <summary>ushort.</summary>
    UInt16 = 2,

    /// <summary>short.</summary>
    Int16 = 3,

    /// <summary>uint.</summary>
    UInt32 = 4,

    /// <summary>int.</summary>
    Int32 = 5,

    /// <summary>float.</summary>
    Float32 = 6,

    /// <summary>bool, one byte.</summary>
    Bool = 7,

    /// <summary>UTF-8 with a 64-bit length before it.</summary>
    String = 8,

    /// <summary>Element type, 64-bit count, elements; not nested.</summary>
    Array = 9,

    /// <summary>ulong.</summary>
    UInt64 = 10,

    /// <summary>long.</summary>
    Int64 = 11,

    /// <summary>double.</summary>
    Float64 = 12,
}

/// <summary>Storage type of a tensor, as numbered in ggml.h of llama.cpp v0.5.0.</summary>
public enum GgmlType : uint
{
#pragma warning disable CS1591 // The names are ggml's own.
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    Q8_1 = 9,
    Q2_K = 10,
    Q3_K = 11,
    Q4_K = 12,
    Q5_K = 13,
    Q6_K = 14,
    Q8_K = 15,
    IQ2_XXS = 16,
    IQ2_XS = 17,
    IQ3_XXS = 18,
    IQ1_S = 19,
    IQ4_NL = 20,
    IQ3_S = 21,
    IQ2_S = 22,
    IQ4_XS = 23,
    I8 = 24,
    I16 = 25,
    I32 = 26,
    I64 = 27,
    F64 = 28,
    IQ1_M = 29,
    BF16 = 30,
    TQ1_0 = 34,
    TQ2_0 = 35,
    MXFP4 = 39,
    NVFP4 = 40,
    Q1_0 = 41,
    Q2_0 = 42,
#pragma warning restore CS1591
}

/// <summary>Name, type, shape and place of one tensor in a GGUF file.</summary>
/// <param name="Name">For example <c>blk.0.attn_q.weight</c>.</param>
/// <param name="Type">How its elements are stored.</param>
/// <param name="Shape">Sizes outermost first, as HuggingFace writes them; GGUF itself stores them innermost first.</param>
/// <param name="Offset">Bytes from the start of the file.</param>
/// <param name="ByteCount">Bytes of data, without padding.</param>
public sealed record GgufTensor(string Name, GgmlType Type, IReadOnlyList<long> Shape, long Offset, long ByteCount)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}

internal static class GgmlTypeSizes
{
    /// <summary>Null for quantised and integer types.</summary>
    internal static StoredFloat? FloatOf(GgmlType type) => type switch
    {
        GgmlType.F32 => StoredFloat.F32,
        GgmlType.F16 => StoredFloat.F16,
        GgmlType.BF16 => StoredFloat.BF16,
        _ => null,
    };

    /// <summary>Elements per block and bytes per block; (0, 0) for a type that does not exist.</summary>
    /// <remarks>Source: GGML_QUANT_SIZES of gguf-py in llama.cpp v0.5.0.</remarks>
    internal static (int Elements, int Bytes) BlockOf(GgmlType type) => type switch
    {
        GgmlType.F32 or GgmlType.I32 => (1, 4),
        GgmlType.F16 or GgmlType.BF16 or GgmlType.I16 => (1, 2),
        GgmlType.F64 or GgmlType.I64 => (1, 8),
        GgmlType.I8 => (1, 1),
        GgmlType.Q4_0 or GgmlType.IQ4_NL => (32, 18),
        GgmlType.Q4_1 => (32, 20),
        GgmlType.Q5_0 => (32, 22),
        GgmlType.Q5_1 => (32, 24),
        GgmlType.Q8_0 => (32, 34),
        GgmlType.Q8_1 => (32, 36),
        GgmlType.Q2_K => (256, 84),
        GgmlType.Q3_K or GgmlType.IQ3_S => (256, 110),
        GgmlType.Q4_K => (256, 144),
        GgmlType.Q5_K => (256, 176),
        GgmlType.Q6_K => (256, 210),
        GgmlType.Q8_K => (256, 292),
        GgmlType.IQ2_XXS or GgmlType.TQ2_0 => (256, 66),
        GgmlType.IQ2_XS => (256, 74),
        GgmlType.IQ3_XXS => (256, 98),
        GgmlType.IQ1_S => (256, 50),
        GgmlType.IQ2_S => (256, 82),
        GgmlType.IQ4_XS => (256, 136),
        GgmlType.IQ1_M => (256, 56),
        GgmlType.TQ1_0 => (256, 54),
        GgmlType.MXFP4 => (32, 17),
        GgmlType.NVFP4 => (64, 36),
        GgmlType.Q1_0 => (128, 18),
        GgmlType.Q2_0 => (64, 18),
        _ => (0, 0),
    };
}
