using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PsyLite.Training.Kernels;

/// <summary>Copies a strip of a matrix into a panel panel[k * width + j], j &lt; width, zero-filled beyond the valid lanes.</summary>
internal static unsafe class Packing
{
    /// <summary>Depth packed at a time, so that source rows at power-of-two strides and the panel both stay in L1.</summary>
    private const int DepthChunk = 64;

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

    /// <summary>panel[k * width + j] = source[k * stride + j]: lanes are columns of the source.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Straight(float* source, nint stride, int lanes, int depth, float* panel, int width)
    {
        for (var k = 0; k < depth; k++, source += stride, panel += width)
        {
            var j = 0;
            for (; j + 8 <= lanes; j += 8)
            {
                Vector256.Load(source + j).Store(panel + j);
            }

            for (; j + 4 <= lanes; j += 4)
            {
                Vector128.Load(source + j).Store(panel + j);
            }

            for (; j < lanes; j++)
            {
                panel[j] = source[j];
            }

            for (; j < width; j++)
            {
                panel[j] = 0f;
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
