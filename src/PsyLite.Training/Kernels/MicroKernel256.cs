using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PsyLite.Training.Kernels;

/// <summary>6x16 tile in 12 of the 16 AVX registers; two more hold a row of b and one a broadcast element of a.</summary>
internal static unsafe class MicroKernel256
{
    public const int Rows = 6;
    public const int Columns = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(nint depth, float* a, nint rowStep, nint depthStep, float* b, float* c, nint stride, float alpha, bool accumulate)
    {
        Vector256<float> c00 = Vector256<float>.Zero, c01 = Vector256<float>.Zero, c10 = Vector256<float>.Zero, c11 = Vector256<float>.Zero, c20 = Vector256<float>.Zero, c21 = Vector256<float>.Zero;
        Vector256<float> c30 = Vector256<float>.Zero, c31 = Vector256<float>.Zero, c40 = Vector256<float>.Zero, c41 = Vector256<float>.Zero, c50 = Vector256<float>.Zero, c51 = Vector256<float>.Zero;
        var a3 = a + (3 * rowStep);
        var twoRows = 2 * rowStep;
        for (; depth > 0; depth--)
        {
            var b0 = Vector256.LoadAligned(b);
            var b1 = Vector256.LoadAligned(b + 8);
            Vector256<float> x;
            x = Vector256.Create(a[0]); c00 = Fma.MultiplyAdd(x, b0, c00); c01 = Fma.MultiplyAdd(x, b1, c01);
            x = Vector256.Create(a[rowStep]); c10 = Fma.MultiplyAdd(x, b0, c10); c11 = Fma.MultiplyAdd(x, b1, c11);
            x = Vector256.Create(a[twoRows]); c20 = Fma.MultiplyAdd(x, b0, c20); c21 = Fma.MultiplyAdd(x, b1, c21);
            x = Vector256.Create(a3[0]); c30 = Fma.MultiplyAdd(x, b0, c30); c31 = Fma.MultiplyAdd(x, b1, c31);
            x = Vector256.Create(a3[rowStep]); c40 = Fma.MultiplyAdd(x, b0, c40); c41 = Fma.MultiplyAdd(x, b1, c41);
            x = Vector256.Create(a3[twoRows]); c50 = Fma.MultiplyAdd(x, b0, c50); c51 = Fma.MultiplyAdd(x, b1, c51);
            a += depthStep; a3 += depthStep;
            b += Columns;
        }

        var scale = Vector256.Create(alpha);
        Store(c + (0 * stride), c00, c01, scale, accumulate);
        Store(c + (1 * stride), c10, c11, scale, accumulate);
        Store(c + (2 * stride), c20, c21, scale, accumulate);
        Store(c + (3 * stride), c30, c31, scale, accumulate);
        Store(c + (4 * stride), c40, c41, scale, accumulate);
        Store(c + (5 * stride), c50, c51, scale, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector256<float> low, Vector256<float> high, Vector256<float> scale, bool accumulate)
    {
        if (accumulate)
        {
            Fma.MultiplyAdd(low, scale, Vector256.Load(c)).Store(c);
            Fma.MultiplyAdd(high, scale, Vector256.Load(c + 8)).Store(c + 8);
        }
        else
        {
            (low * scale).Store(c);
            (high * scale).Store(c + 8);
        }
    }
}
