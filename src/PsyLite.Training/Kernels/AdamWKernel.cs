using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>Factors of one AdamW step (arXiv 1711.05101), the bias corrections folded in.</summary>
/// <param name="GradientScale">What the gradient is multiplied by first (norm clipping).</param>
/// <param name="Keep">1 - learning rate * weight decay.</param>
/// <param name="StepSize">learning rate / (1 - beta1^t).</param>
/// <param name="RootCorrection">1 / sqrt(1 - beta2^t).</param>
internal readonly record struct AdamWFactors(float GradientScale, float Keep, float StepSize, float RootCorrection, float Beta1, float Beta2, float Epsilon);

internal static unsafe class AdamWKernel
{
    /// <summary>m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p = keep p - step m / (sqrt(v) correction + eps), on columns [from, to) of four [1 x n] arenas.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Update(Matrix parameters, Matrix gradients, Matrix first, Matrix second, AdamWFactors f, nint from, nint to)
    {
        float* p = parameters.Data, g = gradients.Data, m = first.Data, v = second.Data;
        var (scale, keep, step, root) = (Vector256.Create(f.GradientScale), Vector256.Create(f.Keep), Vector256.Create(-f.StepSize), Vector256.Create(f.RootCorrection));
        var (b1, b2, epsilon) = (Vector256.Create(f.Beta1), Vector256.Create(f.Beta2), Vector256.Create(f.Epsilon));
        var (rest1, rest2) = (Vector256.Create(1f - f.Beta1), Vector256.Create(1f - f.Beta2));
        for (var i = from; i < to; i += VectorMath.Lanes)
        {
            var n = to - i;
            var gradient = VectorMath.Load(g + i, n) * scale;
            var mean = VectorMath.Fma(b1, VectorMath.Load(m + i, n), rest1 * gradient);
            var square = VectorMath.Fma(b2, VectorMath.Load(v + i, n), rest2 * gradient * gradient);
            VectorMath.Store(mean, m + i, n);
            VectorMath.Store(square, v + i, n);
            var change = mean / VectorMath.Fma(Vector256.Sqrt(square), root, epsilon);
            VectorMath.Store(VectorMath.Fma(step, change, VectorMath.Load(p + i, n) * keep), p + i, n);
        }
    }
}
