namespace PsyLite.Training.Kernels;

/// <summary>4x8 tile without vector instructions, for processors that have neither AVX-512 nor FMA.</summary>
internal static unsafe class MicroKernelScalar
{
    public const int Rows = 4;
    public const int Columns = 8;

    public static void Run(nint depth, float* a, nint rowStep, nint depthStep, float* b, float* c, nint stride, float alpha, bool accumulate)
    {
        var tile = stackalloc float[Rows * Columns];
        new Span<float>(tile, Rows * Columns).Clear();
        for (; depth > 0; depth--, a += depthStep, b += Columns)
        {
            for (var i = 0; i < Rows; i++)
            {
                var x = a[i * rowStep];
                for (var j = 0; j < Columns; j++)
                {
                    tile[(i * Columns) + j] += x * b[j];
                }
            }
        }

        for (var i = 0; i < Rows; i++)
        {
            for (var j = 0; j < Columns; j++)
            {
                var value = alpha * tile[(i * Columns) + j];
                c[(i * stride) + j] = accumulate ? c[(i * stride) + j] + value : value;
            }
        }
    }
}
