using System.Runtime.InteropServices;

namespace PsyLite.Training.Kernels;

/// <summary>Single-precision memory outside the garbage collector, allocated once and kept for the life of its owner.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private const nuint CacheLine = 64;
    private const nuint HugePage = 2u << 20;
    private float* _data;

    /// <param name="zeroed">False leaves anything in it: what is never written then takes no memory.</param>
    public NativeBuffer(long length, bool zeroed = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        var bytes = (nuint)Math.Max(1, length) * sizeof(float);
        var alignment = bytes >= 2 * HugePage ? HugePage : CacheLine;
        bytes = (bytes + CacheLine - 1) / CacheLine * CacheLine;
        _data = (float*)NativeMemory.AlignedAlloc(bytes, alignment);
        if (zeroed)
        {
            NativeMemory.Clear(_data, bytes);
        }
    }

    public long Length { get; }

    public Span<float> Span(long offset, int count)
    {
        Check(offset, count);
        return new Span<float>(_data + offset, count);
    }

    public Matrix Matrix(int rows, int columns, long offset = 0)
    {
        Check(offset, (long)rows * columns);
        return new Matrix(_data + offset, rows, columns, columns);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_data);
        _data = null;
    }

    private void Check(long offset, long count)
    {
        ObjectDisposedException.ThrowIf(_data == null, this);
        if (offset < 0 || count < 0 || offset > Length - count)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{count} floats at {offset} lie outside a buffer of {Length}.");
        }
    }
}
