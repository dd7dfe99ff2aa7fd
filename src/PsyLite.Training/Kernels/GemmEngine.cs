using System.Runtime.Intrinsics.X86;

namespace PsyLite.Training.Kernels;

/// <summary>
/// One register-blocked micro-kernel and its tile size. The kernel computes the tile
/// c[Rows x Columns] (+)= alpha * sum over k of a(i, k) * b(k, j), with a(i, k) at a[i * rowStep + k * depthStep]
/// and b(k, j) at b[k * Columns + j], 64-byte aligned.
/// </summary>
internal sealed unsafe class GemmEngine
{
    private GemmEngine(string name, int rows, int columns, delegate*<nint, float*, nint, nint, float*, float*, nint, float, bool, void> kernel)
    {
        Name = name;
        Rows = rows;
        Columns = columns;
        Kernel = kernel;
    }

    public static GemmEngine Avx512 => new("avx512 12x32", MicroKernel512.Rows, MicroKernel512.Columns, &MicroKernel512.Run);

    public static GemmEngine Avx2 => new("avx2 6x16", MicroKernel256.Rows, MicroKernel256.Columns, &MicroKernel256.Run);

    public static GemmEngine Scalar => new("scalar 4x8", MicroKernelScalar.Rows, MicroKernelScalar.Columns, &MicroKernelScalar.Run);

    public static GemmEngine Best => Avx512F.IsSupported ? Avx512 : Fma.IsSupported ? Avx2 : Scalar;

    public string Name { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>(depth, a, rowStep, depthStep, b, c, stride of c, alpha, accumulate)</summary>
    public delegate*<nint, float*, nint, nint, float*, float*, nint, float, bool, void> Kernel { get; }
}
