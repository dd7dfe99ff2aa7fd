using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>Values as the upper half of single precision (bfloat16), rounded to nearest even.</summary>
internal sealed unsafe class Bf16Matrix : CompactMatrix
{
    private const int Chunk = 1 << 18;
    private ushort* _values;

    public Bf16Matrix(int rows, int columns)
        : base(rows, columns) => _values = (ushort*)NativeMemory.AlignedAlloc((nuint)((long)rows * columns * sizeof(ushort)), 64);

    public override long Bytes => (long)Rows * Columns * sizeof(ushort);

    /// <summary>The bfloat16 nearest to a value; ties go to the even one. NaN stays NaN.</summary>
    public static ushort Round(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    public override void Encode(Models.TensorReader source)
    {
        var buffer = new float[Chunk];
        var total = (long)Rows * Columns;
        for (long start = 0; start < total; start += Chunk)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(Chunk, total - start));
            source(start, part);
            for (var i = 0; i < part.Length; i++)
            {
                _values[start + i] = Round(part[i]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Decode(int row, int column, int count, float* target)
    {
        var source = _values + ((nint)row * Columns) + column;
        var i = 0;
        for (; i + Vector256<ushort>.Count <= count; i += Vector256<ushort>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(source + i));
            Vector256.ShiftLeft(low, 16).AsSingle().Store(target + i);
            Vector256.ShiftLeft(high, 16).AsSingle().Store(target + i + Vector256<float>.Count);
        }

        for (; i < count; i++)
        {
            target[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }

    public override void Dispose()
    {
        NativeMemory.AlignedFree(_values);
        _values = null;
    }
}
