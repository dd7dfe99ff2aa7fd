namespace PsyLite.Training.Kernels;

/// <summary>C (+)= Alpha * op(A) * op(B), where op transposes when its flag is set. C is [M x N], op(A) [M x K], op(B) [K x N].</summary>
internal readonly struct Product
{
    private Product(Matrix a, bool transposeA, Matrix b, CompactMatrix? compactB, bool transposeB, Matrix c, float alpha, bool accumulate)
    {
        (A, TransposeA, B, CompactB, TransposeB, C, Alpha, Accumulate) = (a, transposeA, b, compactB, transposeB, c, alpha, accumulate);
        Depth = transposeA ? a.Rows : a.Columns;
        var (rows, columns) = compactB is null ? (b.Rows, b.Columns) : (compactB.Rows, compactB.Columns);
        var (m, n, k) = (transposeA ? a.Columns : a.Rows, transposeB ? rows : columns, transposeB ? columns : rows);
        if (m != c.Rows || n != c.Columns || k != Depth)
        {
            throw new ArgumentException($"[{m}x{Depth}] times [{k}x{n}] does not give [{c.Rows}x{c.Columns}].");
        }
    }

    public Matrix A { get; }

    public bool TransposeA { get; }

    public Matrix B { get; }

    /// <summary>Stands in the place of B when that is a frozen weight in fewer bits.</summary>
    public CompactMatrix? CompactB { get; }

    public bool TransposeB { get; }

    public Matrix C { get; }

    public float Alpha { get; }

    public bool Accumulate { get; }

    public int Depth { get; }

    /// <summary>C = A * B.</summary>
    public static Product Plain(Matrix a, Matrix b, Matrix c, bool accumulate = false, float alpha = 1f) => new(a, false, b, null, false, c, alpha, accumulate);

    /// <summary>C = A * B^T, the forward pass of a linear layer: y = x * W^T.</summary>
    public static Product TransposedRight(Matrix a, Matrix b, Matrix c, bool accumulate = false, float alpha = 1f) => new(a, false, b, null, true, c, alpha, accumulate);

    /// <summary>C = A^T * B, the weight gradient of a linear layer: dW = dy^T * x.</summary>
    public static Product TransposedLeft(Matrix a, Matrix b, Matrix c, bool accumulate = false, float alpha = 1f) => new(a, true, b, null, false, c, alpha, accumulate);

    /// <inheritdoc cref="Plain(Matrix, Matrix, Matrix, bool, float)"/>
    public static Product Plain(Matrix a, CompactMatrix b, Matrix c, bool accumulate = false) => new(a, false, default, b, false, c, 1f, accumulate);

    /// <inheritdoc cref="TransposedRight(Matrix, Matrix, Matrix, bool, float)"/>
    public static Product TransposedRight(Matrix a, CompactMatrix b, Matrix c, bool accumulate = false) => new(a, false, default, b, true, c, 1f, accumulate);
}
