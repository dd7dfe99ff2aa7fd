using System.Runtime.CompilerServices;

namespace PsyLite.Training.Kernels;

/// <summary>
/// Packed single-precision matrix product in the BLIS loop order. Every element of C is summed by one worker in an order
/// that depends only on the shapes, so results are bit-identical for any number of threads.
/// </summary>
internal sealed unsafe class Gemm : IDisposable
{
    /// <summary>Longest run of k per pass: a panel of B (32 x 512 floats) stays in L2 while rows of A stream past it.</summary>
    private const int DepthBlock = 512;
    private const int RowBlock = 252;
    private const int ColumnBlock = 1024;
    private const int PrivateColumns = 512;

    private readonly WorkerPool _pool;
    private readonly GemmEngine _engine;
    private readonly NativeBuffer[] _packedRows;
    private readonly NativeBuffer[] _privateColumns;
    private readonly NativeBuffer[] _edgeTiles;
    private readonly NativeBuffer _sharedColumns;
    private int _nextPanel;

    public Gemm(WorkerPool pool, GemmEngine engine)
    {
        _pool = pool;
        _engine = engine;
        _sharedColumns = new NativeBuffer((long)ColumnBlock * DepthBlock);
        _packedRows = PerWorker((RowBlock + engine.Rows) * DepthBlock);
        _privateColumns = PerWorker(PrivateColumns * DepthBlock);
        _edgeTiles = PerWorker(engine.Rows * engine.Columns);
    }

    public WorkerPool Pool => _pool;

    /// <summary>Computes the product with every worker of the pool; call it outside pool jobs.</summary>
    public void Multiply(Product product)
    {
        var rowPanels = Panels(product.C.Rows, _engine.Rows);
        if (_pool.Threads == 1)
        {
            MultiplyOn(0, product);
        }
        else if (rowPanels < 4 * _pool.Threads && product.C.Columns > product.C.Rows)
        {
            _pool.Run(worker =>
            {
                var panels = Panels(product.C.Columns, _engine.Columns);
                var from = (int)((long)panels * worker / _pool.Threads) * _engine.Columns;
                var to = Math.Min(product.C.Columns, (int)((long)panels * (worker + 1) / _pool.Threads) * _engine.Columns);
                Columns(worker, product, from, to);
            });
        }
        else
        {
            _nextPanel = 0;
            _pool.Run(worker => Shared(worker, product, rowPanels));
        }
    }

    /// <summary>Computes the product on one worker; call it inside a pool job, for example one attention head per task.</summary>
    public void MultiplyOn(int worker, Product product) => Columns(worker, product, 0, product.C.Columns);

    public void Dispose()
    {
        _sharedColumns.Dispose();
        foreach (var buffer in (NativeBuffer[])[.. _packedRows, .. _privateColumns, .. _edgeTiles])
        {
            buffer.Dispose();
        }
    }

    private static int Panels(int count, int width) => (count + width - 1) / width;

    /// <summary>Splits the depth evenly into passes of at most DepthBlock, long ones at the edges of quantised blocks.</summary>
    private static int DepthStep(int depth)
    {
        var passes = Math.Max(1, Panels(depth, DepthBlock));
        var unit = passes > 1 ? Nf4Matrix.Block : 8;
        return Math.Max(8, (Panels(depth, passes) + unit - 1) / unit * unit);
    }

    private NativeBuffer[] PerWorker(int length) => [.. Enumerable.Range(0, _pool.Threads).Select(_ => new NativeBuffer(length))];

    /// <summary>All workers pack one block of B together, then take row panels from a shared counter.</summary>
    private void Shared(int worker, Product p, int rowPanels)
    {
        var step = DepthStep(p.Depth);
        var packed = _sharedColumns.Matrix(1, ColumnBlock * DepthBlock).Data;
        for (var column = 0; column < p.C.Columns; column += ColumnBlock)
        {
            var columns = Math.Min(ColumnBlock, p.C.Columns - column);
            var panels = Panels(columns, _engine.Columns);
            for (var k = 0; k < p.Depth; k += step)
            {
                var depth = Math.Min(step, p.Depth - k);
                var last = (int)((long)panels * (worker + 1) / _pool.Threads);
                PackColumns(p, column, columns, k, depth, (int)((long)panels * worker / _pool.Threads), last, packed);
                _pool.Barrier();
                while (Take(rowPanels) is (var from, > 0 and var taken))
                {
                    var row = from * _engine.Rows;
                    var rows = Math.Min(taken * _engine.Rows, p.C.Rows - row);
                    Block(worker, p, row, rows, column, columns, k, depth, packed);
                }

                _pool.Barrier();
                if (worker == 0)
                {
                    Volatile.Write(ref _nextPanel, 0);
                }
            }
        }
    }

    /// <summary>
    /// The next row panels of a worker: half of its even share of what is left, so that long blocks come first and the last are
    /// single panels. Equal blocks leave one worker idle for up to a block at each barrier, a tenth of the time at 512 rows.
    /// </summary>
    private (int From, int Count) Take(int panels)
    {
        while (true)
        {
            var from = Volatile.Read(ref _nextPanel);
            var count = Math.Min(Panels(panels - from, 2 * _pool.Threads), RowBlock / _engine.Rows);
            if (count <= 0 || Interlocked.CompareExchange(ref _nextPanel, from + count, from) == from)
            {
                return (from, count);
            }
        }
    }

    private void Columns(int worker, Product p, int from, int to)
    {
        var step = DepthStep(p.Depth);
        var packed = _privateColumns[worker].Matrix(1, PrivateColumns * DepthBlock).Data;
        var rowBlock = RowBlock / _engine.Rows * _engine.Rows;
        for (var column = from; column < to; column += PrivateColumns)
        {
            var columns = Math.Min(PrivateColumns, to - column);
            for (var k = 0; k < p.Depth; k += step)
            {
                var depth = Math.Min(step, p.Depth - k);
                PackColumns(p, column, columns, k, depth, 0, Panels(columns, _engine.Columns), packed);
                for (var row = 0; row < p.C.Rows; row += rowBlock)
                {
                    Block(worker, p, row, Math.Min(rowBlock, p.C.Rows - row), column, columns, k, depth, packed);
                }
            }
        }
    }

    private void PackColumns(Product p, int column, int columns, int k, int depth, int firstPanel, int lastPanel, float* packed)
    {
        var (from, to) = (firstPanel * _engine.Columns, Math.Min(columns, lastPanel * _engine.Columns));
        if (to <= from)
        {
            return;
        }

        var target = packed + ((nint)from * depth);
        if (p.CompactB is { } compact)
        {
            PackCompact(compact, p.TransposeB, column + from, to - from, k, depth, target);
        }
        else
        {
            var source = p.TransposeB ? p.B.Row(column + from) + k : p.B.Row(k) + column + from;
            Pack(p.TransposeB, source, p.B.Stride, to - from, depth, target, _engine.Columns);
        }
    }

    private void PackCompact(CompactMatrix source, bool transposed, int column, int lanes, int k, int depth, float* target)
    {
        var width = _engine.Columns;
        if (!transposed)
        {
            source.PackStraight(k, column, lanes, depth, target, width);
            return;
        }

        for (var j = 0; j < lanes; j += width)
        {
            source.PackTransposed(column + j, Math.Min(width, lanes - j), k, depth, target + ((nint)j * depth), width);
        }
    }

    private static void Pack(bool transposed, float* source, nint stride, int lanes, int depth, float* target, int width)
    {
        if (transposed)
        {
            for (var j = 0; j < lanes; j += width)
            {
                Packing.Transposed(source + (j * stride), stride, Math.Min(width, lanes - j), depth, target + ((nint)j * depth), width);
            }
        }
        else
        {
            Packing.Straight(source, stride, lanes, depth, target, width);
        }
    }

    /// <summary>One block of rows against the packed columns. Narrow products read A in place: packing it would cost as much as the arithmetic.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Block(int worker, Product p, int row, int rows, int column, int columns, int k, int depth, float* packedB)
    {
        var (height, width) = (_engine.Rows, _engine.Columns);
        var packedA = _packedRows[worker].Matrix(1, (RowBlock + height) * DepthBlock).Data;
        var inPlace = columns <= 2 * width;
        var unpacked = inPlace ? rows / height * height : 0;
        if (unpacked < rows)
        {
            var source = p.TransposeA ? p.A.Row(k) + row + unpacked : p.A.Row(row + unpacked) + k;
            Pack(!p.TransposeA, source, p.A.Stride, rows - unpacked, depth, packedA + ((nint)unpacked * depth), height);
        }

        var accumulate = p.Accumulate || k > 0;
        var edge = _edgeTiles[worker].Matrix(height, width);
        for (var j = 0; j < columns; j += width)
        {
            var b = packedB + ((nint)j * depth);
            var lanes = Math.Min(width, columns - j);
            for (var i = 0; i < rows; i += height)
            {
                var full = rows - i >= height;
                var direct = inPlace && full;
                var a = !direct ? packedA + ((nint)i * depth) : p.TransposeA ? p.A.Row(k) + row + i : p.A.Row(row + i) + k;
                nint rowStep = direct && !p.TransposeA ? p.A.Stride : 1;
                nint depthStep = !direct ? height : p.TransposeA ? p.A.Stride : 1;
                var c = p.C.Row(row + i) + column + j;
                if (full && lanes == width)
                {
                    _engine.Kernel(depth, a, rowStep, depthStep, b, c, p.C.Stride, p.Alpha, accumulate);
                }
                else
                {
                    _engine.Kernel(depth, a, rowStep, depthStep, b, edge.Data, width, p.Alpha, false);
                    CopyEdge(edge, Math.Min(height, rows - i), lanes, c, p.C.Stride, accumulate);
                }
            }
        }
    }

    private static void CopyEdge(Matrix edge, int rows, int lanes, float* c, nint stride, bool accumulate)
    {
        for (var i = 0; i < rows; i++, c += stride)
        {
            var source = edge.Row(i);
            for (var j = 0; j < lanes; j++)
            {
                c[j] = accumulate ? c[j] + source[j] : source[j];
            }
        }
    }
}
