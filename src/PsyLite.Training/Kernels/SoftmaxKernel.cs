using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>Causal softmax of attention scores: row i of a block that starts at position s sees columns 0..s+i.</summary>
internal static unsafe class SoftmaxKernel
{
    /// <summary>
    /// In place: scores -> exp(scale * (score - row maximum)) for rows at positions start.., 0 for columns that a row must not see.
    /// The normalising factor is left to the much narrower product with the values: inverseSum receives it for each row.
    /// logSumExp receives log sum exp(scale * score), from which the backward pass rebuilds the probabilities.
    /// Rows need 7 floats of room beyond the last column.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CausalForward(Matrix scores, int start, float scale, Span<float> inverseSum, Span<float> logSumExp)
    {
        for (var i = 0; i < scores.Rows; i++)
        {
            var row = scores.Row(i);
            nint n = start + i + 1;
            var whole = (n + VectorMath.Lanes - 1) / VectorMath.Lanes * VectorMath.Lanes;
            for (var j = n; j < whole; j++)
            {
                row[j] = float.NegativeInfinity;
            }

            var maximum = Vector256.Load(row);
            for (nint j = VectorMath.Lanes; j < whole; j += VectorMath.Lanes)
            {
                maximum = Vector256.Max(maximum, Vector256.Load(row + j));
            }

            var top = VectorMath.Maximum(maximum) * scale;
            var (factor, shift, sum) = (Vector256.Create(scale), Vector256.Create(-top), Vector256<float>.Zero);
            for (nint j = 0; j < whole; j += VectorMath.Lanes)
            {
                var e = VectorMath.Exp(VectorMath.Fma(Vector256.Load(row + j), factor, shift));
                e.Store(row + j);
                sum += e;
            }

            var total = Vector256.Sum(sum);
            inverseSum[i] = 1f / total;
            logSumExp[i] = top + MathF.Log(total);
            new Span<float>(row + n, scores.Columns - (int)n).Clear();
        }
    }

    /// <summary>
    /// In place: scores -> p = exp(scale * score - logSumExp), 0 for columns that a row must not see. Rows need 7 floats of room
    /// beyond the last column.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CausalRebuild(Matrix scores, int start, float scale, ReadOnlySpan<float> logSumExp)
    {
        for (var i = 0; i < scores.Rows; i++)
        {
            var row = scores.Row(i);
            nint n = start + i + 1;
            var (factor, shift) = (Vector256.Create(scale), Vector256.Create(-logSumExp[i]));
            for (nint j = 0; j < n; j += VectorMath.Lanes)
            {
                VectorMath.Exp(VectorMath.Fma(Vector256.Load(row + j), factor, shift)).Store(row + j);
            }

            new Span<float>(row + n, scores.Columns - (int)n).Clear();
        }
    }

    /// <summary>
    /// In place: dp -> ds = p * (dp - delta) with delta = sum(p * dp) of the row. The factor scale of ds is left to the products that
    /// use it. Rows need 7 floats of room beyond the last column.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CausalBackward(Matrix probabilities, Matrix dp, int start, ReadOnlySpan<float> delta)
    {
        for (var i = 0; i < dp.Rows; i++)
        {
            float* p = probabilities.Row(i), gradient = dp.Row(i);
            nint n = start + i + 1;
            var pull = Vector256.Create(delta[i]);
            for (nint j = 0; j < n; j += VectorMath.Lanes)
            {
                (Vector256.Load(p + j) * (Vector256.Load(gradient + j) - pull)).Store(gradient + j);
            }

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
