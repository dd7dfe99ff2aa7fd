using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PsyLite.Training.Kernels;

/// <summary>Copies a strip of a matrix into a panel panel[k * width + j], j &lt; width, zero-filled beyond the valid lanes.</summary>
internal static unsafe class Packing
{
    /// <summary>Depth packed at a time, so that source rows at power-of-two strides and the panel both stay in L1.</summary>
    private const int DepthChunk = 64;
    private const int RowChunk = 16;

    /// <summary>panel[k * width + j] = source[j * stride + k]: lanes are rows of the source.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transposed(float* source, nint stride, int lanes, int depth, float* panel, int width)
    {
        for (var k = 0; k < depth; k += DepthChunk)
        {
            var count = Math.Min(DepthChunk, depth - k);
            var target = panel + ((nint)k * width);
            var j = 0;
            if (Sse.IsSupported)
            {
                for (; j + 4 <= lanes; j += 4)
                {
                    TransposeFour(source + (j * stride) + k, stride, count, target + j, width);
                }
            }

            for (; j < width; j++)
            {
                var row = source + (j * stride) + k;
                for (var i = 0; i < count; i++)
                {
                    target[(i * width) + j] = j < lanes ? row[i] : 0f;
                }
            }
        }
    }

    /// <summary>
    /// Consecutive panels of <paramref name="width"/> lanes, panel[k * width + j] = source[k * stride + j]: lanes are columns of
    /// the source. A few rows at a time go to all panels, so that each cache line of the source is read once.
    /// </summary>
    public static void Straight(float* source, nint stride, int lanes, int depth, float* panels, int width)
    {
        for (var k = 0; k < depth; k += RowChunk)
        {
            var count = Math.Min(RowChunk, depth - k);
            for (var j = 0; j < lanes; j += width)
            {
                var target = panels + ((nint)j * depth) + (k * width);
                StraightPanel(source + (k * stride) + j, stride, Math.Min(width, lanes - j), count, target, width);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StraightPanel(float* source, nint stride, int lanes, int depth, float* panel, nint width)
    {
        if (lanes == width && width == 32)
        {
            for (; depth > 0; depth--, source += stride, panel += 32)
            {
                var (x0, x1) = (Vector512.Load(source), Vector512.Load(source + 16));
                x0.Store(panel);
                x1.Store(panel + 16);
            }
        }
        else if (lanes == width && width == 12)
        {
            for (; depth > 0; depth--, source += stride, panel += 12)
            {
                var (x0, x1) = (Vector256.Load(source), Vector128.Load(source + 8));
                x0.Store(panel);
                x1.Store(panel + 8);
            }
        }
        else
        {
            for (; depth > 0; depth--, source += stride, panel += width)
            {
                new ReadOnlySpan<float>(source, lanes).CopyTo(new Span<float>(panel, lanes));
                new Span<float>(panel + lanes, (int)width - lanes).Clear();
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeFour(float* source, nint stride, int depth, float* target, nint width)
    {
        var s1 = source + stride;
        var s2 = s1 + stride;
        var s3 = s2 + stride;
        nint k = 0;
        for (; k + 4 <= depth; k += 4, target += 4 * width)
        {
            var r0 = Vector128.Load(source + k);
            var r1 = Vector128.Load(s1 + k);
            var r2 = Vector128.Load(s2 + k);
            var r3 = Vector128.Load(s3 + k);
            var low01 = Sse.UnpackLow(r0, r1);
            var high01 = Sse.UnpackHigh(r0, r1);
            var low23 = Sse.UnpackLow(r2, r3);
            var high23 = Sse.UnpackHigh(r2, r3);
            Sse.MoveLowToHigh(low01, low23).Store(target);
            Sse.MoveHighToLow(low23, low01).Store(target + width);
            Sse.MoveLowToHigh(high01, high23).Store(target + (2 * width));
            Sse.MoveHighToLow(high23, high01).Store(target + (3 * width));
        }

        for (; k < depth; k++, target += width)
        {
            target[0] = source[k];
            target[1] = s1[k];
            target[2] = s2[k];
            target[3] = s3[k];
        }
    }
}
