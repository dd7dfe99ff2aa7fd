using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>Negative log-likelihood of one label under one row of logits.</summary>
internal static unsafe class CrossEntropyKernel
{
    /// <summary>log p(label), leaving the logits as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float LogProbability(Matrix logits, int row, int label)
    {
        nint n = logits.Columns;
        var x = logits.Row(row);
        var top = Maximum(x, n);
        var (shift, sum) = (Vector256.Create(-top), Vector256<float>.Zero);
        for (nint i = 0; i < n; i += VectorMath.Lanes)
        {
            sum += VectorMath.Exp(VectorMath.Load(x + i, n - i, float.NegativeInfinity) + shift);
        }

        return x[label] - top - MathF.Log(Vector256.Sum(sum));
    }

    /// <summary>log p(label); the logits become the gradient of -weight * log p(label).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float LogProbabilityAndGradient(Matrix logits, int row, int label, float weight)
    {
        nint n = logits.Columns;
        var x = logits.Row(row);
        var (top, chosen) = (Maximum(x, n), x[label]);
        var (shift, sum) = (Vector256.Create(-top), Vector256<float>.Zero);
        for (nint i = 0; i < n; i += VectorMath.Lanes)
        {
            var e = VectorMath.Exp(VectorMath.Load(x + i, n - i, float.NegativeInfinity) + shift);
            VectorMath.Store(e, x + i, n - i);
            sum += e;
        }

        var total = Vector256.Sum(sum);
        var scale = Vector256.Create(weight / total);
        for (nint i = 0; i < n; i += VectorMath.Lanes)
        {
            VectorMath.Store(VectorMath.Load(x + i, n - i) * scale, x + i, n - i);
        }

        x[label] -= weight;
        return chosen - top - MathF.Log(total);
    }

    private static float Maximum(float* x, nint n)
    {
        var maximum = Vector256.Create(float.NegativeInfinity);
        for (nint i = 0; i < n; i += VectorMath.Lanes)
        {
            maximum = Vector256.Max(maximum, VectorMath.Load(x + i, n - i, float.NegativeInfinity));
        }

        return VectorMath.Maximum(maximum);
    }
}
