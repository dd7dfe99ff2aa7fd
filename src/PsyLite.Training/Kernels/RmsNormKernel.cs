using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>y = w * x / rms(x), rms(x) = sqrt(mean(x^2) + eps), row by row. Weights are a [1 x n] matrix, inverse rms values a [1 x T] one.</summary>
internal static unsafe class RmsNormKernel
{
    /// <summary>Rows [from, to) of y, and of the inverse rms that the backward pass needs.</summary>
    public static void Forward(Matrix x, Matrix weight, float epsilon, Matrix y, Matrix inverseRms, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            var source = x.Row(row);
            var inverse = 1f / MathF.Sqrt((VectorMath.Dot(source, source, x.Columns) / x.Columns) + epsilon);
            inverseRms.Data[row] = inverse;
            Scale(source, weight.Data, inverse, y.Row(row), x.Columns);
        }
    }

    /// <summary>Rows [from, to) of y again from a kept inverse rms: cheaper than keeping y.</summary>
    public static void Recompute(Matrix x, Matrix weight, Matrix inverseRms, Matrix y, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            Scale(x.Row(row), weight.Data, inverseRms.Data[row], y.Row(row), x.Columns);
        }
    }

    /// <summary>
    /// dx += r * w * dy - x * r^3 / n * sum(dy * w * x), with r the inverse rms; weightGradient [1 x n] += dy * r * x,
    /// for rows [from, to).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(Matrix x, Matrix weight, Matrix inverseRms, Matrix dy, Matrix dx, Matrix weightGradient, int from, int to)
    {
        nint n = x.Columns;
        for (var row = from; row < to; row++)
        {
            float* source = x.Row(row), outer = dy.Row(row), target = dx.Row(row), w = weight.Data, dw = weightGradient.Data;
            var sum = Vector256<float>.Zero;
            for (nint i = 0; i < n; i += VectorMath.Lanes)
            {
                sum = VectorMath.Fma(VectorMath.Load(outer + i, n - i) * VectorMath.Load(w + i, n - i), VectorMath.Load(source + i, n - i), sum);
            }

            var inverse = inverseRms.Data[row];
            var r = Vector256.Create(inverse);
            var pull = Vector256.Create(-Vector256.Sum(sum) * inverse * inverse * inverse / n);
            for (nint i = 0; i < n; i += VectorMath.Lanes)
            {
                var value = VectorMath.Load(source + i, n - i);
                var scaled = VectorMath.Load(outer + i, n - i) * r;
                var change = VectorMath.Fma(value, pull, scaled * VectorMath.Load(w + i, n - i));
                VectorMath.Store(VectorMath.Load(target + i, n - i) + change, target + i, n - i);
                VectorMath.Store(VectorMath.Fma(scaled, value, VectorMath.Load(dw + i, n - i)), dw + i, n - i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(float* source, float* weight, float inverse, float* target, nint n)
    {
        var r = Vector256.Create(inverse);
        for (nint i = 0; i < n; i += VectorMath.Lanes)
        {
            VectorMath.Store(VectorMath.Load(source + i, n - i) * r * VectorMath.Load(weight + i, n - i), target + i, n - i);
        }
    }
}
