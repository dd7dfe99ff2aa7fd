using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>Plain copies and sums over rows.</summary>
internal static unsafe class RowKernel
{
    public static void Copy(Matrix source, Matrix target, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            new Span<float>(source.Row(row), source.Columns).CopyTo(new Span<float>(target.Row(row), target.Columns));
        }
    }

    public static void Clear(Matrix target, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            new Span<float>(target.Row(row), target.Columns).Clear();
        }
    }

    /// <summary>target row i = source row indices[i] for i in [from, to).</summary>
    public static void Gather(Matrix source, ReadOnlySpan<int> indices, Matrix target, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            source.RowSpan(indices[i]).CopyTo(target.RowSpan(i));
        }
    }

    /// <summary>target row indices[i] += source row i, for all i in order, on columns [from, to).</summary>
    public static void ScatterAdd(Matrix source, ReadOnlySpan<int> indices, Matrix target, int from, int to)
    {
        for (var i = 0; i < indices.Length; i++)
        {
            Add(source.Row(i) + from, target.Row(indices[i]) + from, to - from);
        }
    }

    /// <summary>target += source over rows [from, to).</summary>
    public static void Add(Matrix source, Matrix target, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            Add(source.Row(row), target.Row(row), source.Columns);
        }
    }

    /// <summary>Multiplies row i by factors[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScaleRows(Matrix target, ReadOnlySpan<float> factors)
    {
        for (var row = 0; row < target.Rows; row++)
        {
            var values = target.Row(row);
            var factor = Vector256.Create(factors[row]);
            for (nint i = 0, n = target.Columns; i < n; i += VectorMath.Lanes)
            {
                VectorMath.Store(VectorMath.Load(values + i, n - i) * factor, values + i, n - i);
            }
        }
    }

    /// <summary>Sum of squares of columns [from, to) of a [1 x n] matrix.</summary>
    public static double SumOfSquares(Matrix values, nint from, nint to) => VectorMath.Dot(values.Data + from, values.Data + from, to - from);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(float* source, float* target, nint n)
    {
        for (nint i = 0; i < n; i += VectorMath.Lanes)
        {
            VectorMath.Store(VectorMath.Load(target + i, n - i) + VectorMath.Load(source + i, n - i), target + i, n - i);
        }
    }
}
