using System.Runtime.Intrinsics;
using PsyLite.Training.Kernels;

namespace PsyLite.Tests.Training;

/// <summary>Row kernels against scalar formulas in double precision, for every length from one lane to several vectors.</summary>
public sealed class RowKernelTests
{
    private const int Rows = 3;

    public static TheoryData<int> Lengths => [.. Enumerable.Range(1, 20), 31, 32, 33, 40, 64, 100, 257];

    [Fact]
    public void Exp_is_accurate_to_two_units_in_the_last_place()
    {
        var random = new Random(1);
        for (var i = 0; i < 20000; i++)
        {
            var x = (random.NextSingle() * 174f) - 87f;
            var expected = Math.Exp(x);
            Assert.InRange(VectorMath.Exp(Vector256.Create(x))[i % 8] / expected, 1 - 2.5e-7, 1 + 2.5e-7);
        }

        Assert.Equal(1f, VectorMath.Exp(Vector256<float>.Zero)[0]);
        Assert.Equal(0f, VectorMath.Exp(Vector256.Create(float.NegativeInfinity))[3]);
        Assert.Equal(0f, VectorMath.Exp(Vector256.Create(-1e30f))[3]);
        Assert.True(float.IsFinite(VectorMath.Exp(Vector256.Create(1e30f))[3]));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Rms_norm_forward_and_backward(int n)
    {
        const double epsilon = 1e-5;
        using var m = new Scratch(n, Rows, 8);
        var (x, w, y, dy, dx, dw) = (m.Random(Rows), m.Random(1), m.Random(Rows), m.Random(Rows), m.Random(Rows), m.Random(1));
        var (dxBefore, dwBefore) = (m.Copy(dx), m.Copy(dw));
        using var rms = new NativeBuffer(Rows);
        RmsNormKernel.Forward(x, w, (float)epsilon, y, rms.Matrix(1, Rows), 0, Rows);
        RmsNormKernel.Backward(x, w, rms.Matrix(1, Rows), dy, dx, dw, 0, Rows);
        for (var row = 0; row < Rows; row++)
        {
            var r = 1 / Math.Sqrt(Enumerable.Range(0, n).Average(i => Math.Pow(x.RowSpan(row)[i], 2)) + epsilon);
            var pull = Enumerable.Range(0, n).Sum(i => (double)dy.RowSpan(row)[i] * w.RowSpan(0)[i] * x.RowSpan(row)[i]) * r * r * r / n;
            for (var i = 0; i < n; i++)
            {
                Near(w.RowSpan(0)[i] * x.RowSpan(row)[i] * r, y.RowSpan(row)[i]);
                Near(dxBefore[row][i] + (dy.RowSpan(row)[i] * w.RowSpan(0)[i] * r) - (x.RowSpan(row)[i] * pull), dx.RowSpan(row)[i], 1e-4);
                dwBefore[0][i] += (float)(dy.RowSpan(row)[i] * x.RowSpan(row)[i] * r);
            }
        }

        Close.Vectors(dw.RowSpan(0), dwBefore[0], 1e-5, "weight gradient");
        RmsNormKernel.Recompute(x, w, rms.Matrix(1, Rows), dx, 0, Rows);
        Assert.Equal(m.Copy(y), m.Copy(dx));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void SwiGlu_forward_and_backward(int n)
    {
        using var m = new Scratch(n, Rows, 4);
        var (gate, up, act, outer) = (m.Random(Rows, 4f), m.Random(Rows), m.Random(Rows), m.Random(Rows));
        var (g, u, d) = (m.Copy(gate), m.Copy(up), m.Copy(outer));
        SwiGluKernel.Forward(gate, up, act, 0, Rows);
        SwiGluKernel.Backward(gate, up, outer, 0, Rows);
        for (var row = 0; row < Rows; row++)
        {
            for (var i = 0; i < n; i++)
            {
                var s = 1 / (1 + Math.Exp(-g[row][i]));
                Near(g[row][i] * s * u[row][i], act.RowSpan(row)[i]);
                Near(g[row][i] * s * u[row][i], outer.RowSpan(row)[i]);
                Near(d[row][i] * g[row][i] * s, up.RowSpan(row)[i]);
                Near(d[row][i] * u[row][i] * s * (1 + (g[row][i] * (1 - s))), gate.RowSpan(row)[i]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Cross_entropy_and_its_gradient(int n)
    {
        using var m = new Scratch(n, 1, 1);
        var logits = m.Random(1, 9f);
        var x = m.Copy(logits)[0];
        var label = n / 2;
        var lse = Math.Log(x.Sum(v => Math.Exp(v)));
        Near(x[label] - lse, CrossEntropyKernel.LogProbability(logits, 0, label), 1e-5);
        Near(x[label] - lse, CrossEntropyKernel.LogProbabilityAndGradient(logits, 0, label, 0.7f), 1e-5);
        for (var i = 0; i < n; i++)
        {
            Near(0.7 * (Math.Exp(x[i] - lse) - (i == label ? 1 : 0)), logits.RowSpan(0)[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Causal_softmax_forward_and_backward(int n)
    {
        // Three rows that see n-2, n-1 and n columns: a block that starts at position n-3.
        var start = Math.Max(0, n - Rows);
        var rows = Math.Min(Rows, n);
        using var m = new Scratch(n, Rows, 3, room: 8);
        var (scores, gradient, copy) = (m.Random(rows, 5f), m.Random(rows), m.Random(rows));
        var (s, dp) = (m.Copy(scores), m.Copy(gradient));
        RowKernel.Copy(scores, copy, 0, rows);
        float[] inverse = new float[rows], kept = new float[rows], delta = [.. Enumerable.Range(0, rows).Select(i => i - 0.5f)];
        const float scale = 0.6f;
        SoftmaxKernel.CausalForward(scores, start, scale, inverse, kept);
        SoftmaxKernel.CausalRebuild(copy, start, scale, kept);
        SoftmaxKernel.CausalBackward(copy, gradient, start, delta);
        for (var row = 0; row < rows; row++)
        {
            var visible = start + row + 1;
            var lse = Math.Log(s[row].Take(visible).Sum(v => Math.Exp(v * scale)));
            Near(lse, kept[row], 1e-5);
            for (var j = 0; j < n; j++)
            {
                var p = j < visible ? Math.Exp((s[row][j] * scale) - lse) : 0;
                Near(p, scores.RowSpan(row)[j] * inverse[row]);
                Near(p, copy.RowSpan(row)[j]);
                Near(p * (dp[row][j] - delta[row]), gradient.RowSpan(row)[j]);
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    [InlineData(16)]
    [InlineData(50)]
    public void Rotation_turns_queries_and_keys_only_and_its_transpose_undoes_it(int headSize)
    {
        const int queries = 2;
        using var m = new Scratch((queries + 2) * headSize * 2, Rows, 1);
        using var tables = new NativeBuffer(20 * headSize);
        var (cosine, sine) = (tables.Matrix(20, headSize / 2), tables.Matrix(20, headSize / 2, 10 * headSize));
        RopeKernel.FillTables(cosine, sine, 1e6f);
        var qkv = m.Random(Rows);
        var before = m.Copy(qkv);
        int[] positions = [0, 19, 7];
        RopeKernel.RotateRows(qkv, positions, cosine, sine, queries, 1f, 0, Rows);
        Assert.Equal(before[0], qkv.RowSpan(0).ToArray());
        for (var i = 0; i < qkv.Columns; i++)
        {
            var (inHead, slot, half) = (i % headSize, i / headSize % (queries + 2), headSize / 2);
            var (head, lane) = (i - inHead, inHead % half);
            var angle = 19 * Math.Pow(1e6, -2.0 * lane / headSize);
            var (a, b) = (before[1][head + lane], before[1][head + half + lane]);
            Near(slot > queries ? before[1][i] : inHead < half ? (a * Math.Cos(angle)) - (b * Math.Sin(angle)) : (b * Math.Cos(angle)) + (a * Math.Sin(angle)), qkv.RowSpan(1)[i]);
        }

        RopeKernel.RotateRows(qkv, positions, cosine, sine, queries, -1f, 0, Rows);
        Close.Vectors(qkv.RowSpan(2), before[2], 1e-6, "rotated back");
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void AdamW_step(int n)
    {
        using var m = new Scratch(n, 1, 4);
        var (p, g, first, second) = (m.Random(1), m.Random(1), m.Random(1), m.Random(1));
        foreach (ref var v in second.RowSpan(0))
        {
            v = MathF.Abs(v);
        }

        var (p0, g0, m0, v0) = (m.Copy(p)[0], m.Copy(g)[0], m.Copy(first)[0], m.Copy(second)[0]);
        AdamWKernel.Update(p, g, first, second, new AdamWFactors(0.5f, 0.99f, 0.01f, 1.3f, 0.9f, 0.999f, 1e-8f), 0, n);
        for (var i = 0; i < n; i++)
        {
            var gradient = 0.5 * g0[i];
            var (mean, square) = ((0.9 * m0[i]) + (0.1 * gradient), (0.999 * v0[i]) + (0.001 * gradient * gradient));
            Near(mean, first.RowSpan(0)[i]);
            Near(square, second.RowSpan(0)[i]);
            Near((0.99 * p0[i]) - (0.01 * mean / ((Math.Sqrt(square) * 1.3) + 1e-8)), p.RowSpan(0)[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Dots_sums_gathers_and_scatters(int n)
    {
        using var m = new Scratch(n, 4, 3);
        var (a, b, c) = (m.Random(4), m.Random(4), m.Random(4));
        var (a0, b0) = (m.Copy(a), m.Copy(b));
        var dots = new float[4];
        SoftmaxKernel.RowDots(a, b, dots);
        Assert.All(Enumerable.Range(0, 4), i => Near(a0[i].Zip(b0[i], (x, y) => (double)x * y).Sum(), dots[i], 1e-5));
        Near(a0[0].Sum(x => (double)x * x), RowKernel.SumOfSquares(a.FirstRows(1), 0, n), 1e-5);
        RowKernel.Gather(a, [2, 0, 2, 1], c, 0, 4);
        Assert.Equal([a0[2], a0[0], a0[2], a0[1]], m.Copy(c));
        RowKernel.ScatterAdd(c, [1, 1, 3, 1], b, 0, n);
        for (var i = 0; i < n; i++)
        {
            Near(b0[1][i] + a0[2][i] + a0[0][i] + a0[1][i], b.RowSpan(1)[i]);
            Near(b0[3][i] + a0[2][i], b.RowSpan(3)[i]);
            Assert.Equal(b0[0][i], b.RowSpan(0)[i]);
        }
    }

    private static void Near(double expected, double actual, double tolerance = 2e-6) =>
        Assert.True(Math.Abs(actual - expected) <= tolerance * Math.Max(1, Math.Abs(expected)), $"{actual} instead of {expected}");

    /// <summary>Matrices of one width over native memory, with guard room behind each row when asked.</summary>
    private sealed class Scratch(int columns, int rows, int count, int room = 0) : IDisposable
    {
        private readonly NativeBuffer _buffer = new((long)(columns + room) * rows * count);
        private readonly Random _random = new(columns);
        private long _used;

        public Matrix Random(int height, float scale = 1f)
        {
            var matrix = _buffer.Matrix(height, columns + room, _used).Window(0, height, 0, columns);
            _used += (long)height * (columns + room);
            for (var row = 0; row < height; row++)
            {
                foreach (ref var value in matrix.RowSpan(row))
                {
                    value = ((_random.NextSingle() * 2f) - 1f) * scale;
                }
            }

            return matrix;
        }

        public float[][] Copy(Matrix matrix)
        {
            var copy = new float[matrix.Rows][];
            for (var row = 0; row < copy.Length; row++)
            {
                copy[row] = matrix.RowSpan(row).ToArray();
            }

            return copy;
        }

        public void Dispose() => _buffer.Dispose();
    }
}
