using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>Causal softmax of attention scores: row i of a block that starts at position s sees columns 0..s+i.</summary>
internal static unsafe class SoftmaxKernel
{
    /// <summary>
    /// scores -> probabilities in place for rows at positions start..; columns that a row must not see become 0.
    /// logSumExp [1 x rows] receives log sum exp(scale * score), from which the backward pass rebuilds the probabilities.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CausalForward(Matrix scores, int start, float scale, Span<float> logSumExp)
    {
        for (var i = 0; i < scores.Rows; i++)
        {
            var row = scores.Row(i);
            nint n = start + i + 1;
            var maximum = Vector256.Create(float.NegativeInfinity);
            for (nint j = 0; j < n; j += VectorMath.Lanes)
            {
                maximum = Vector256.Max(maximum, VectorMath.Load(row + j, n - j, float.NegativeInfinity));
            }

            var top = VectorMath.Maximum(maximum) * scale;
            var (factor, shift, sum) = (Vector256.Create(scale), Vector256.Create(-top), Vector256<float>.Zero);
            for (nint j = 0; j < n; j += VectorMath.Lanes)
            {
                var e = VectorMath.Exp(VectorMath.Fma(VectorMath.Load(row + j, n - j, float.NegativeInfinity), factor, shift));
                VectorMath.Store(e, row + j, n - j);
                sum += e;
            }

            var total = Vector256.Sum(sum);
            var inverse = Vector256.Create(1f / total);
            for (nint j = 0; j < n; j += VectorMath.Lanes)
            {
                VectorMath.Store(VectorMath.Load(row + j, n - j) * inverse, row + j, n - j);
            }

            logSumExp[i] = top + MathF.Log(total);
            new Span<float>(row + n, scores.Columns - (int)n).Clear();
        }
    }

    /// <summary>
    /// In place: scores -> p = exp(scale * score - logSumExp), and dp -> ds = p * (dp - delta) with delta = sum(p * dp) of the row.
    /// The factor scale of ds is left to the products that use it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CausalBackward(Matrix scores, Matrix dp, int start, float scale, ReadOnlySpan<float> logSumExp, ReadOnlySpan<float> delta)
    {
        for (var i = 0; i < scores.Rows; i++)
        {
            float* row = scores.Row(i), gradient = dp.Row(i);
            nint n = start + i + 1;
            var (factor, shift, pull) = (Vector256.Create(scale), Vector256.Create(-logSumExp[i]), Vector256.Create(delta[i]));
            for (nint j = 0; j < n; j += VectorMath.Lanes)
            {
                var p = VectorMath.Exp(VectorMath.Fma(VectorMath.Load(row + j, n - j), factor, shift));
                VectorMath.Store(p, row + j, n - j);
                VectorMath.Store(p * (VectorMath.Load(gradient + j, n - j) - pull), gradient + j, n - j);
            }

            new Span<float>(row + n, scores.Columns - (int)n).Clear();
            new Span<float>(gradient + n, dp.Columns - (int)n).Clear();
        }
    }

    /// <summary>delta[i] = sum over columns of a * b in row i; with a = dO and b = O it equals sum(p * dp).</summary>
    public static void RowDots(Matrix a, Matrix b, Span<float> delta)
    {
        for (var i = 0; i < a.Rows; i++)
        {
            delta[i] = VectorMath.Dot(a.Row(i), b.Row(i), a.Columns);
        }
    }
}
