using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>
/// Dropout whose mask is a hash of a key and the place, so that the backward pass and a recomputed forward pass see the same one without
/// keeping it. Values that stay are divided by the share that stays (inverted dropout).
/// </summary>
internal static unsafe class DropoutKernel
{
    /// <summary>y = mask * x / (1 - rate) for rows [from, to); row i has the mask of row firstRow + i.</summary>
    public static void Apply(Matrix x, Matrix y, ulong key, float rate, int firstRow, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            MaskRow(x.Row(row), y.Row(row), x.Columns, RowKey(key, firstRow + row), rate, add: false);
        }
    }

    /// <summary>target += mask * source / (1 - rate), the backward pass of <see cref="Apply"/>.</summary>
    public static void AddMasked(Matrix source, Matrix target, ulong key, float rate, int firstRow, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            MaskRow(source.Row(row), target.Row(row), source.Columns, RowKey(key, firstRow + row), rate, add: true);
        }
    }

    /// <summary>A key that depends on all bits of both numbers (SplitMix64's finaliser).</summary>
    public static ulong Mix(ulong key, ulong value)
    {
        var x = key + ((value + 1) * 0x9E3779B97F4A7C15UL);
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }

    private static uint RowKey(ulong key, int row) => (uint)(Mix(key, (ulong)row) >> 32);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaskRow(float* x, float* y, nint n, uint key, float rate, bool add)
    {
        var threshold = Vector256.Create((uint)Math.Min(uint.MaxValue, rate * 4294967296.0));
        var scale = Vector256.Create(1f / (1f - rate));
        var step = Vector256.Create(0u, 1, 2, 3, 4, 5, 6, 7);
        for (nint i = 0; i < n; i += VectorMath.Lanes)
        {
            var keep = Vector256.GreaterThanOrEqual(Hash((step + Vector256.Create((uint)i)) * 0x9E3779B9u + Vector256.Create(key)), threshold).AsSingle();
            var value = Vector256.ConditionalSelect(keep, VectorMath.Load(x + i, n - i) * scale, Vector256<float>.Zero);
            VectorMath.Store(add ? VectorMath.Load(y + i, n - i) + value : value, y + i, n - i);
        }
    }

    /// <summary>Every bit of the result depends on every bit of the argument (two rounds of multiply and xor-shift).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Hash(Vector256<uint> x)
    {
        x = (x ^ (x >>> 16)) * 0x7FEB352Du;
        x = (x ^ (x >>> 15)) * 0x846CA68Bu;
        return x ^ (x >>> 16);
    }
}
