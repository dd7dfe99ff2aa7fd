using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace PsyLite.Training.Kernels;

/// <summary>act = silu(gate) * up, silu(g) = g * sigmoid(g).</summary>
internal static unsafe class SwiGluKernel
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(Matrix gate, Matrix up, Matrix act, int from, int to)
    {
        nint n = gate.Columns;
        for (var row = from; row < to; row++)
        {
            float* g = gate.Row(row), u = up.Row(row), y = act.Row(row);
            for (nint i = 0; i < n; i += VectorMath.Lanes)
            {
                var value = VectorMath.Load(g + i, n - i);
                VectorMath.Store(value * VectorMath.Sigmoid(value) * VectorMath.Load(u + i, n - i), y + i, n - i);
            }
        }
    }

    /// <summary>All in place: gate -> d gate, up -> d up, and the incoming d act -> act, which the gradient of w2 needs next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(Matrix gate, Matrix up, Matrix dact, int from, int to)
    {
        nint n = gate.Columns;
        var one = Vector256<float>.One;
        for (var row = from; row < to; row++)
        {
            float* g = gate.Row(row), u = up.Row(row), d = dact.Row(row);
            for (nint i = 0; i < n; i += VectorMath.Lanes)
            {
                var (x, y, outer) = (VectorMath.Load(g + i, n - i), VectorMath.Load(u + i, n - i), VectorMath.Load(d + i, n - i));
                var sigmoid = VectorMath.Sigmoid(x);
                var silu = x * sigmoid;
                VectorMath.Store(outer * y * sigmoid * VectorMath.Fma(x, one - sigmoid, one), g + i, n - i);
                VectorMath.Store(outer * silu, u + i, n - i);
                VectorMath.Store(silu * y, d + i, n - i);
            }
        }
    }
}
