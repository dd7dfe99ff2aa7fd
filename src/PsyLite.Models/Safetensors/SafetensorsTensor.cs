namespace PsyLite.Models.Safetensors;

/// <summary>Number format of a tensor in a safetensors file.</summary>
public enum SafetensorsType
{
#pragma warning disable CS1591 // The names are the format's own.
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    BOOL,
    F8_E4M3,
    F8_E5M2,
#pragma warning restore CS1591
}

/// <summary>Name, type, shape and place of one tensor.</summary>
/// <param name="Name">For example <c>model.layers.0.attention.wqkv.weight</c>.</param>
/// <param name="Type">How its elements are stored; F32, F16 and BF16 can be read as numbers.</param>
/// <param name="Shape">Sizes outermost first; empty for a scalar.</param>
/// <param name="FilePath">The file that holds it.</param>
/// <param name="Offset">Bytes from the start of that file.</param>
/// <param name="ByteCount">Bytes of data.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, string FilePath, long Offset, long ByteCount)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}

internal static class SafetensorsTypes
{
    internal static int BytesOf(SafetensorsType type) => type switch
    {
        SafetensorsType.F64 or SafetensorsType.I64 or SafetensorsType.U64 => 8,
        SafetensorsType.F32 or SafetensorsType.I32 or SafetensorsType.U32 => 4,
        SafetensorsType.F16 or SafetensorsType.BF16 or SafetensorsType.I16 or SafetensorsType.U16 => 2,
        _ => 1,
    };

    /// <summary>Null for what is not read as float32.</summary>
    internal static StoredFloat? FloatOf(SafetensorsType type) => type switch
    {
        SafetensorsType.F32 => StoredFloat.F32,
        SafetensorsType.F16 => StoredFloat.F16,
        SafetensorsType.BF16 => StoredFloat.BF16,
        _ => null,
    };
}
