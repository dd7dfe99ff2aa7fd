namespace PsyLite.Training.Kernels;

/// <summary>
/// A frozen weight [Rows x Columns] in fewer bits than single precision. Products decode it a strip at a time while they pack it,
/// so that it never lies in memory as single precision.
/// </summary>
internal abstract unsafe class CompactMatrix : IDisposable
{
    /// <summary>Depth decoded at a time for a transposed panel: 32 rows of it stay in L1.</summary>
    private const int DepthChunk = 64;

    /// <summary>Rows of the widest engine's panel.</summary>
    private const int WidestPanel = 32;

    /// <summary>Columns decoded at a time for straight panels.</summary>
    private const int Run = 1024;

    protected CompactMatrix(int rows, int columns) => (Rows, Columns) = (rows, columns);

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Bytes that the values take.</summary>
    public abstract long Bytes { get; }

    /// <summary>Stores a whole tensor, read in order in parts.</summary>
    public abstract void Encode(Models.TensorReader source);

    /// <summary>target[i] = value [row, column + i] for i below count.</summary>
    public abstract void Decode(int row, int column, int count, float* target);

    public void Decode(int row, int column, Span<float> target)
    {
        if ((uint)row >= (uint)Rows || column < 0 || target.Length > Columns - column)
        {
            throw new ArgumentOutOfRangeException(nameof(row), $"{target.Length} values at {row},{column} lie outside {Rows}x{Columns}.");
        }

        fixed (float* values = target)
        {
            Decode(row, column, target.Length, values);
        }
    }

    /// <summary>As <see cref="Packing.Transposed"/>, for the lanes that are rows from <paramref name="row"/>, at columns from k.</summary>
    public void PackTransposed(int row, int lanes, int k, int depth, float* panel, int width)
    {
        var decoded = stackalloc float[WidestPanel * DepthChunk];
        for (var from = 0; from < depth; from += DepthChunk)
        {
            var count = Math.Min(DepthChunk, depth - from);
            for (var lane = 0; lane < lanes; lane++)
            {
                Decode(row + lane, k + from, count, decoded + (lane * DepthChunk));
            }

            Packing.Transposed(decoded, DepthChunk, lanes, count, panel + ((nint)from * width), width);
        }
    }

    /// <summary>As <see cref="Packing.Straight"/>, for the lanes that are columns from <paramref name="column"/>, at rows from k.</summary>
    public void PackStraight(int k, int column, int lanes, int depth, float* panels, int width)
    {
        var decoded = stackalloc float[Run];
        var run = Run / width * width;
        for (var from = 0; from < lanes; from += run)
        {
            var count = Math.Min(run, lanes - from);
            for (var i = 0; i < depth; i++)
            {
                Decode(k + i, column + from, count, decoded);
                for (var j = 0; j < count; j += width)
                {
                    var target = panels + ((nint)(from + j) * depth) + ((nint)i * width);
                    var part = Math.Min(width, count - j);
                    new ReadOnlySpan<float>(decoded + j, part).CopyTo(new Span<float>(target, part));
                    new Span<float>(target + part, width - part).Clear();
                }
            }
        }
    }

    public abstract void Dispose();
}
