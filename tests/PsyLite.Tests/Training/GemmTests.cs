using System.Runtime.Intrinsics.X86;
using PsyLite.Training.Kernels;

namespace PsyLite.Tests.Training;

/// <summary>Every engine against a triple loop in double precision, on sizes that leave tails in every direction.</summary>
public sealed class GemmTests
{
    private const float Untouched = 12345f;

    internal static IEnumerable<GemmEngine> Supported => Engines.Select(e => (string)e[0]).Distinct().Select(Engine);

    public static TheoryData<string, int> Engines
    {
        get
        {
            var data = new TheoryData<string, int> { { "scalar", 1 }, { "scalar", 2 } };
            foreach (var threads in new[] { 1, 2, 3 })
            {
                if (Fma.IsSupported)
                {
                    data.Add("avx2", threads);
                }

                if (Avx512F.IsSupported)
                {
                    data.Add("avx512", threads);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void Products_of_random_shapes_agree_with_the_oracle(string engine, int threads)
    {
        using var pool = new WorkerPool(threads);
        using var gemm = new Gemm(pool, Engine(engine));
        var random = new Random(threads + engine.Length);
        for (var i = 0; i < 80; i++)
        {
            Check(gemm, random, 1 + random.Next(90), 1 + random.Next(90), 1 + random.Next(90), i % 2 == 0);
        }

        foreach (var (m, n, k) in new[] { (1, 1, 1), (600, 40, 30), (30, 1100, 20), (13, 33, 1300), (50, 40, 513), (97, 31, 1), (5, 2100, 9) })
        {
            Check(gemm, random, m, n, k, parallel: true);
        }
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        using var buffer = new NativeBuffer(100);
        var (a, b, c) = (buffer.Matrix(3, 4), buffer.Matrix(4, 5), buffer.Matrix(3, 5));
        _ = Product.Plain(a, b, c);
        Assert.Throws<ArgumentException>(() => Product.TransposedRight(buffer.Matrix(3, 4), buffer.Matrix(4, 5), buffer.Matrix(3, 5)));
        Assert.Throws<ArgumentException>(() => Product.TransposedLeft(buffer.Matrix(3, 4), buffer.Matrix(4, 5), buffer.Matrix(4, 5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Matrix(10, 11));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Matrix(3, 4).Window(1, 3, 0, 4));
    }

    private static GemmEngine Engine(string name) => name switch
    {
        "avx512" => GemmEngine.Avx512,
        "avx2" => GemmEngine.Avx2,
        _ => GemmEngine.Scalar,
    };

    private static void Check(Gemm gemm, Random random, int m, int n, int k, bool parallel)
    {
        var kind = random.Next(3);
        var (transposeA, transposeB, accumulate) = (kind == 2, kind == 1, random.Next(2) == 0);
        var alpha = random.Next(3) == 0 ? 0.37f : 1f;
        var ((aRows, aColumns), (bRows, bColumns)) = (transposeA ? (k, m) : (m, k), transposeB ? (n, k) : (k, n));
        using var aBuffer = new NativeBuffer((long)aRows * (aColumns + 3));
        using var bBuffer = new NativeBuffer((long)bRows * (bColumns + 5));
        using var cBuffer = new NativeBuffer((long)m * (n + 7));
        RandomModel.Fill(aBuffer, random);
        RandomModel.Fill(bBuffer, random);
        var wide = cBuffer.Matrix(m, n + 7);
        cBuffer.Span(0, (int)cBuffer.Length).Fill(Untouched);
        var (a, b, c) = (aBuffer.Matrix(aRows, aColumns + 3).Window(0, aRows, 1, aColumns), bBuffer.Matrix(bRows, bColumns + 5).Window(0, bRows, 2, bColumns), wide.Window(0, m, 3, n));
        var start = new float[m][];
        for (var i = 0; i < m; i++)
        {
            start[i] = [.. Enumerable.Range(0, n).Select(_ => random.NextSingle())];
            start[i].CopyTo(c.RowSpan(i));
        }

        var product = kind switch
        {
            1 => Product.TransposedRight(a, b, c, accumulate, alpha),
            2 => Product.TransposedLeft(a, b, c, accumulate, alpha),
            _ => Product.Plain(a, b, c, accumulate, alpha),
        };
        if (parallel)
        {
            gemm.Multiply(product);
        }
        else
        {
            gemm.MultiplyOn(0, product);
        }

        var (left, right) = (Rows(a, transposeA), Rows(b, !transposeB));
        for (var i = 0; i < m; i++)
        {
            Assert.True(wide.RowSpan(i)[..3].IndexOfAnyExcept(Untouched) < 0 && wide.RowSpan(i)[(n + 3)..].IndexOfAnyExcept(Untouched) < 0, $"{m}x{n}x{k} wrote beside its tile in row {i}");
            for (var j = 0; j < n; j++)
            {
                var sum = 0.0;
                for (var l = 0; l < k; l++)
                {
                    sum += (double)left[i][l] * right[j][l];
                }

                var expected = (alpha * sum) + (accumulate ? start[i][j] : 0.0);
                Assert.True(Math.Abs(c.RowSpan(i)[j] - expected) <= 2e-6 * (k + 4), $"{m}x{n}x{k} kind {kind} at {i},{j}: {c.RowSpan(i)[j]} instead of {expected}");
            }
        }
    }

    private static float[][] Rows(Matrix matrix, bool transpose)
    {
        var rows = new float[matrix.Rows][];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = matrix.RowSpan(i).ToArray();
        }

        return transpose ? [.. Enumerable.Range(0, matrix.Columns).Select(j => (float[])[.. rows.Select(r => r[j])])] : rows;
    }
}
