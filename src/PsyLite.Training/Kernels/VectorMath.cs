using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>Eight-lane building blocks of the row kernels. Rows of any length work: the last lanes go through a partial load and store.</summary>
internal static unsafe class VectorMath
{
    public const int Lanes = 8;

    /// <summary>e^x to about 1 unit in the last place (Cephes polynomial); below -87.3 it gives 0, above 88.3 it saturates.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        var bounded = Vector256.Min(Vector256.Max(x, Vector256.Create(-87.33654f)), Vector256.Create(88.37626f));
        var n = Vector256.Floor(Vector256.MultiplyAddEstimate(bounded, Vector256.Create(1.44269504f), Vector256.Create(0.5f)));
        var r = Vector256.MultiplyAddEstimate(n, Vector256.Create(-0.693359375f), bounded);
        r = Vector256.MultiplyAddEstimate(n, Vector256.Create(2.12194440e-4f), r);
        var p = Vector256.MultiplyAddEstimate(r, Vector256.Create(1.9875691500e-4f), Vector256.Create(1.3981999507e-3f));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(8.3334519073e-3f));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(4.1665795894e-2f));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(1.6666665459e-1f));
        p = Vector256.MultiplyAddEstimate(p, r, Vector256.Create(5.0000001201e-1f));
        p = Vector256.MultiplyAddEstimate(p, r * r, r) + Vector256<float>.One;
        var power = Vector256.ShiftLeft(Vector256.ConvertToInt32(n) + Vector256.Create(127), 23).AsSingle();
        return Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(-87.33654f)), Vector256<float>.Zero, p * power);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Fma(Vector256<float> x, Vector256<float> y, Vector256<float> z) => Vector256.MultiplyAddEstimate(x, y, z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sigmoid(Vector256<float> x) => Vector256<float>.One / (Vector256<float>.One + Exp(-x));

    /// <summary>Loads min(count, 8) floats; the lanes beyond them hold <paramref name="rest"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source, nint count, float rest = 0f) =>
        count >= Lanes ? Vector256.Load(source) : LoadPart(source, count, rest);

    /// <summary>Stores min(count, 8) lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* target, nint count)
    {
        if (count >= Lanes)
        {
            value.Store(target);
        }
        else
        {
            StorePart(value, target, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Maximum(Vector256<float> value)
    {
        var half = Vector128.Max(value.GetLower(), value.GetUpper());
        return MathF.Max(MathF.Max(half[0], half[1]), MathF.Max(half[2], half[3]));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* x, float* y, nint count)
    {
        Vector256<float> s0 = Vector256<float>.Zero, s1 = s0, s2 = s0, s3 = s0;
        nint i = 0;
        for (; i + (4 * Lanes) <= count; i += 4 * Lanes)
        {
            s0 = Fma(Vector256.Load(x + i), Vector256.Load(y + i), s0);
            s1 = Fma(Vector256.Load(x + i + 8), Vector256.Load(y + i + 8), s1);
            s2 = Fma(Vector256.Load(x + i + 16), Vector256.Load(y + i + 16), s2);
            s3 = Fma(Vector256.Load(x + i + 24), Vector256.Load(y + i + 24), s3);
        }

        for (; i < count; i += Lanes)
        {
            s0 = Fma(Load(x + i, count - i), Load(y + i, count - i), s0);
        }

        return Vector256.Sum(s0 + s1 + (s2 + s3));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector256<float> LoadPart(float* source, nint count, float rest)
    {
        var lanes = stackalloc float[Lanes];
        for (var i = 0; i < Lanes; i++)
        {
            lanes[i] = i < count ? source[i] : rest;
        }

        return Vector256.Load(lanes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StorePart(Vector256<float> value, float* target, nint count)
    {
        for (var i = 0; i < count; i++)
        {
            target[i] = value[i];
        }
    }
}
