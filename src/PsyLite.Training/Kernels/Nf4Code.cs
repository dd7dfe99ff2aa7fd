using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>The two code books of QLoRA (arXiv 2305.14314): NormalFloat4 for weights, a dynamic 8-bit one for the scales of their blocks.</summary>
internal static class Nf4Code
{
    /// <summary>Code of the value 0.</summary>
    public const int Zero = 7;

    /// <summary>The 16 levels of NF4: quantiles of the normal distribution, scaled to [-1, 1] (appendix E of the paper).</summary>
    public static ReadOnlySpan<float> Levels =>
    [
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
    ];

    /// <summary>
    /// The 256 ascending levels of the signed dynamic 8-bit type (Dettmers 2015, arXiv 1511.04561; 8-bit optimisers, 2110.02861): per
    /// decade from 10^-6 to 1 twice as many evenly spaced fractions as in the one before, both signs, and 0 and 1.
    /// </summary>
    public static float[] DynamicLevels()
    {
        const int Decades = 7;
        var levels = new List<float> { 0f, 1f };
        for (var decade = 0; decade < Decades; decade++)
        {
            var items = 1 << decade;
            var scale = Math.Pow(10, decade - (Decades - 1));
            for (var i = 0; i < items; i++)
            {
                var middle = scale * (0.1 + (0.9 * (i + 0.5) / items));
                levels.Add((float)middle);
                levels.Add((float)-middle);
            }
        }

        return [.. levels.Order()];
    }

    /// <summary>Midpoints between neighbouring levels: a value above exactly n of them has code n.</summary>
    public static float[] Thresholds(ReadOnlySpan<float> levels)
    {
        var thresholds = new float[levels.Length - 1];
        for (var i = 0; i < thresholds.Length; i++)
        {
            thresholds[i] = (levels[i] + levels[i + 1]) * 0.5f;
        }

        return thresholds;
    }

    /// <summary>Number of ascending thresholds below the value.</summary>
    public static int CodeOf(float value, ReadOnlySpan<float> thresholds)
    {
        var (low, high) = (0, thresholds.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = value > thresholds[middle] ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>NF4 codes of eight values in [-1, 1].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> CodesOf(Vector256<float> values, ReadOnlySpan<float> thresholds)
    {
        var codes = Vector256<int>.Zero;
        foreach (var threshold in thresholds)
        {
            codes -= Vector256.GreaterThan(values, Vector256.Create(threshold)).AsInt32();
        }

        return codes;
    }
}
