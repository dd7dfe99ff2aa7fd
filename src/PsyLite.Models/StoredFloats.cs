using System.Buffers;
using System.Runtime.InteropServices;

namespace PsyLite.Models;

/// <summary>Number formats that files store tensors in and that are read and written as float32.</summary>
internal enum StoredFloat
{
    F32,
    F16,
    BF16,
}

/// <summary>Reads stored bytes from an offset into a tensor's data.</summary>
internal delegate void StoredReader(long start, Span<byte> destination);

/// <summary>A tensor's numbers to and from the bytes of a file.</summary>
internal static class StoredFloats
{
    private const int ChunkElements = 1 << 16;

    /// <summary>Writes all elements in small parts.</summary>
    /// <exception cref="InvalidDataException">An element is NaN, an infinity, or too large for the format.</exception>
    internal static void Write(Stream stream, string name, StoredFloat format, TensorSource source)
    {
        var floats = new float[(int)Math.Min(ChunkElements, source.Count)];
        var halves = new ushort[format == StoredFloat.F32 ? 0 : floats.Length];
        for (var start = 0L; start < source.Count; start += floats.Length)
        {
            var part = floats.AsSpan(0, (int)Math.Min(floats.Length, source.Count - start));
            source.Read(start, part);
            CheckRange(name, format, start, part);
            var stored = halves.AsSpan(0, Math.Min(halves.Length, part.Length));
            if (format == StoredFloat.F16)
            {
                SmallFloats.ToHalf(part, stored);
            }
            else if (format == StoredFloat.BF16)
            {
                SmallFloats.ToBFloat16(part, stored);
            }

            stream.Write(stored.IsEmpty ? MemoryMarshal.AsBytes(part) : MemoryMarshal.AsBytes(stored));
        }
    }

    /// <summary>Reads elements from index <paramref name="start"/> on.</summary>
    internal static void Read(StoredFloat format, StoredReader bytes, long start, Span<float> destination)
    {
        if (format == StoredFloat.F32)
        {
            bytes(start * sizeof(float), MemoryMarshal.AsBytes(destination));
            return;
        }

        var rented = ArrayPool<ushort>.Shared.Rent(destination.Length);
        try
        {
            var stored = rented.AsSpan(0, destination.Length);
            bytes(start * sizeof(ushort), MemoryMarshal.AsBytes(stored));
            if (format == StoredFloat.F16)
            {
                SmallFloats.FromHalf(stored, destination);
            }
            else
            {
                SmallFloats.FromBFloat16(stored, destination);
            }
        }
        finally
        {
            ArrayPool<ushort>.Shared.Return(rented);
        }
    }

    private static void CheckRange(string name, StoredFloat format, long start, ReadOnlySpan<float> values)
    {
        var limit = format switch
        {
            StoredFloat.F16 => SmallFloats.LargestHalf,
            StoredFloat.BF16 => SmallFloats.LargestBFloat16,
            _ => float.MaxValue,
        };
        for (var i = 0; i < values.Length; i++)
        {
            if (!(Math.Abs(values[i]) <= limit))
            {
                throw new InvalidDataException($"the tensor {ErrorText.Quote(name)} holds {values[i]} at index {start + i}, which cannot be stored as {format}.");
            }
        }
    }
}
