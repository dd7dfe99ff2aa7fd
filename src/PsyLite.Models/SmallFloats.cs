namespace PsyLite.Models;

/// <summary>16-bit floating-point numbers as files store them, to and from float32. Rounding is to nearest, ties to even.</summary>
internal static class SmallFloats
{
    /// <summary>The largest magnitude that rounds to a finite half.</summary>
    internal const float LargestHalf = 65519.99f;

    /// <summary>The largest float32 that rounds to a finite bfloat16.</summary>
    internal static readonly float LargestBFloat16 = BitConverter.UInt32BitsToSingle(0x7f7f_7fff);

    internal static void FromHalf(ReadOnlySpan<ushort> stored, Span<float> values)
    {
        for (var i = 0; i < stored.Length; i++)
        {
            values[i] = (float)BitConverter.UInt16BitsToHalf(stored[i]);
        }
    }

    internal static void ToHalf(ReadOnlySpan<float> values, Span<ushort> stored)
    {
        for (var i = 0; i < values.Length; i++)
        {
            stored[i] = BitConverter.HalfToUInt16Bits((Half)values[i]);
        }
    }

    /// <summary>bfloat16 is the upper half of a float32.</summary>
    internal static void FromBFloat16(ReadOnlySpan<ushort> stored, Span<float> values)
    {
        for (var i = 0; i < stored.Length; i++)
        {
            values[i] = BitConverter.UInt32BitsToSingle((uint)stored[i] << 16);
        }
    }

    /// <param name="values">No NaN: rounding could make it an infinity.</param>
    /// <param name="stored">As many elements.</param>
    internal static void ToBFloat16(ReadOnlySpan<float> values, Span<ushort> stored)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(values[i]);
            stored[i] = (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
        }
    }
}
