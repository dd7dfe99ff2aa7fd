using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PsyLite.Training.Kernels;

/// <summary>12x32 tile in 24 of the 32 AVX-512 registers; two more hold a row of b and one a broadcast element of a.</summary>
internal static unsafe class MicroKernel512
{
    public const int Rows = 12;
    public const int Columns = 32;

    /// <summary>Floats of b between its use and what is fetched: 16 rows.</summary>
    private const int Ahead = 16 * Columns;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(nint depth, float* a, nint rowStep, nint depthStep, float* b, float* c, nint stride, float alpha, bool accumulate)
    {
        Vector512<float> c00 = Vector512<float>.Zero, c01 = Vector512<float>.Zero, c10 = Vector512<float>.Zero, c11 = Vector512<float>.Zero, c20 = Vector512<float>.Zero, c21 = Vector512<float>.Zero;
        Vector512<float> c30 = Vector512<float>.Zero, c31 = Vector512<float>.Zero, c40 = Vector512<float>.Zero, c41 = Vector512<float>.Zero, c50 = Vector512<float>.Zero, c51 = Vector512<float>.Zero;
        Vector512<float> c60 = Vector512<float>.Zero, c61 = Vector512<float>.Zero, c70 = Vector512<float>.Zero, c71 = Vector512<float>.Zero, c80 = Vector512<float>.Zero, c81 = Vector512<float>.Zero;
        Vector512<float> c90 = Vector512<float>.Zero, c91 = Vector512<float>.Zero, cA0 = Vector512<float>.Zero, cA1 = Vector512<float>.Zero, cB0 = Vector512<float>.Zero, cB1 = Vector512<float>.Zero;
        var a3 = a + (3 * rowStep);
        var a6 = a3 + (3 * rowStep);
        var a9 = a6 + (3 * rowStep);
        var twoRows = 2 * rowStep;

        // The tile of c is read at the end; the panel of b comes from L2.
        for (nint i = 0, at = 0; i < Rows; i++, at += stride)
        {
            Sse.Prefetch0(c + at);
            Sse.Prefetch0(c + at + 16);
        }

        for (; depth > 0; depth--)
        {
            var b0 = Vector512.LoadAligned(b);
            var b1 = Vector512.LoadAligned(b + 16);
            Vector512<float> x;
            x = Vector512.Create(a[0]); c00 = Avx512F.FusedMultiplyAdd(x, b0, c00); c01 = Avx512F.FusedMultiplyAdd(x, b1, c01);
            x = Vector512.Create(a[rowStep]); c10 = Avx512F.FusedMultiplyAdd(x, b0, c10); c11 = Avx512F.FusedMultiplyAdd(x, b1, c11);
            x = Vector512.Create(a[twoRows]); c20 = Avx512F.FusedMultiplyAdd(x, b0, c20); c21 = Avx512F.FusedMultiplyAdd(x, b1, c21);
            x = Vector512.Create(a3[0]); c30 = Avx512F.FusedMultiplyAdd(x, b0, c30); c31 = Avx512F.FusedMultiplyAdd(x, b1, c31);
            x = Vector512.Create(a3[rowStep]); c40 = Avx512F.FusedMultiplyAdd(x, b0, c40); c41 = Avx512F.FusedMultiplyAdd(x, b1, c41);
            x = Vector512.Create(a3[twoRows]); c50 = Avx512F.FusedMultiplyAdd(x, b0, c50); c51 = Avx512F.FusedMultiplyAdd(x, b1, c51);
            x = Vector512.Create(a6[0]); c60 = Avx512F.FusedMultiplyAdd(x, b0, c60); c61 = Avx512F.FusedMultiplyAdd(x, b1, c61);
            x = Vector512.Create(a6[rowStep]); c70 = Avx512F.FusedMultiplyAdd(x, b0, c70); c71 = Avx512F.FusedMultiplyAdd(x, b1, c71);
            x = Vector512.Create(a6[twoRows]); c80 = Avx512F.FusedMultiplyAdd(x, b0, c80); c81 = Avx512F.FusedMultiplyAdd(x, b1, c81);
            x = Vector512.Create(a9[0]); c90 = Avx512F.FusedMultiplyAdd(x, b0, c90); c91 = Avx512F.FusedMultiplyAdd(x, b1, c91);
            x = Vector512.Create(a9[rowStep]); cA0 = Avx512F.FusedMultiplyAdd(x, b0, cA0); cA1 = Avx512F.FusedMultiplyAdd(x, b1, cA1);
            x = Vector512.Create(a9[twoRows]); cB0 = Avx512F.FusedMultiplyAdd(x, b0, cB0); cB1 = Avx512F.FusedMultiplyAdd(x, b1, cB1);
            a += depthStep; a3 += depthStep; a6 += depthStep; a9 += depthStep;
            Sse.Prefetch0(b + Ahead);
            Sse.Prefetch0(b + Ahead + 16);
            b += Columns;
        }

        var scale = Vector512.Create(alpha);
        Store(c + (0 * stride), c00, c01, scale, accumulate);
        Store(c + (1 * stride), c10, c11, scale, accumulate);
        Store(c + (2 * stride), c20, c21, scale, accumulate);
        Store(c + (3 * stride), c30, c31, scale, accumulate);
        Store(c + (4 * stride), c40, c41, scale, accumulate);
        Store(c + (5 * stride), c50, c51, scale, accumulate);
        Store(c + (6 * stride), c60, c61, scale, accumulate);
        Store(c + (7 * stride), c70, c71, scale, accumulate);
        Store(c + (8 * stride), c80, c81, scale, accumulate);
        Store(c + (9 * stride), c90, c91, scale, accumulate);
        Store(c + (10 * stride), cA0, cA1, scale, accumulate);
        Store(c + (11 * stride), cB0, cB1, scale, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector512<float> low, Vector512<float> high, Vector512<float> scale, bool accumulate)
    {
        if (accumulate)
        {
            Avx512F.FusedMultiplyAdd(low, scale, Vector512.Load(c)).Store(c);
            Avx512F.FusedMultiplyAdd(high, scale, Vector512.Load(c + 16)).Store(c + 16);
        }
        else
        {
            (low * scale).Store(c);
            (high * scale).Store(c + 16);
        }
    }
}
