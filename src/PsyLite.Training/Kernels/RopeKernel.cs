using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>Rotary position embedding, rotate-half form: (a, b) -> (a cos - b sin, b cos + a sin) for the two halves of a head.</summary>
internal static unsafe class RopeKernel
{
    /// <summary>Fills cos and sin [positions x headSize / 2] for angle = position / base^(2 i / headSize).</summary>
    public static void FillTables(Matrix cosine, Matrix sine, float ropeBase)
    {
        var half = cosine.Columns;
        for (var position = 0; position < cosine.Rows; position++)
        {
            for (var i = 0; i < half; i++)
            {
                var angle = position / Math.Pow(ropeBase, (double)i / half);
                cosine.Row(position)[i] = (float)Math.Cos(angle);
                sine.Row(position)[i] = (float)Math.Sin(angle);
            }
        }
    }

    /// <summary>Rotates one head in place; direction 1 is the forward pass, -1 its transpose for the backward pass.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rotate(float* head, float* cosine, float* sine, nint half, float direction)
    {
        var sign = Vector256.Create(direction);
        for (nint i = 0; i < half; i += VectorMath.Lanes)
        {
            var a = VectorMath.Load(head + i, half - i);
            var b = VectorMath.Load(head + half + i, half - i);
            var c = VectorMath.Load(cosine + i, half - i);
            var s = VectorMath.Load(sine + i, half - i) * sign;
            VectorMath.Store((a * c) - (b * s), head + i, half - i);
            VectorMath.Store((b * c) + (a * s), head + half + i, half - i);
        }
    }

    /// <summary>Rotates the queries and keys of rows [from, to) of a fused [T x (groups * (queries + 2) * headSize)] projection; values stay.</summary>
    public static void RotateRows(Matrix qkv, ReadOnlySpan<int> positions, Matrix cosine, Matrix sine, int queriesPerGroup, float direction, int from, int to)
    {
        var half = cosine.Columns;
        var headSize = 2 * half;
        var groupSize = (queriesPerGroup + 2) * headSize;
        for (var row = from; row < to; row++)
        {
            float* c = cosine.Row(positions[row]), s = sine.Row(positions[row]);
            for (var group = 0; group < qkv.Columns; group += groupSize)
            {
                for (var head = 0; head <= queriesPerGroup; head++)
                {
                    Rotate(qkv.Row(row) + group + (head * headSize), c, s, half, direction);
                }
            }
        }
    }
}
