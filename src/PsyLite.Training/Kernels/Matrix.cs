namespace PsyLite.Training.Kernels;

/// <summary>Row-major window [Rows x Columns] into a <see cref="NativeBuffer"/>; neighbouring rows lie Stride floats apart. Valid as long as its buffer.</summary>
internal readonly unsafe struct Matrix
{
    public Matrix(float* data, int rows, int columns, int stride)
    {
        Data = data;
        Rows = rows;
        Columns = columns;
        Stride = stride;
    }

    public float* Data { get; }

    public int Rows { get; }

    public int Columns { get; }

    public int Stride { get; }

    public float* Row(int row) => Data + ((nint)row * Stride);

    public Span<float> RowSpan(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        return new Span<float>(Row(row), Columns);
    }

    /// <summary>All values, when the rows lie without gaps.</summary>
    public Span<float> AsSpan() => Stride == Columns || Rows == 1
        ? new Span<float>(Data, checked(Rows * Columns))
        : throw new InvalidOperationException("A strided window is no span.");

    public Matrix FirstRows(int rows) => Window(0, rows, 0, Columns);

    public Matrix Window(int row, int rows, int column, int columns)
    {
        if (row < 0 || rows < 0 || row > Rows - rows || column < 0 || columns < 0 || column > Columns - columns)
        {
            throw new ArgumentOutOfRangeException(nameof(row), $"window {rows}x{columns} at {row},{column} lies outside {Rows}x{Columns}.");
        }

        return new Matrix(Row(row) + column, rows, columns, Stride);
    }
}
