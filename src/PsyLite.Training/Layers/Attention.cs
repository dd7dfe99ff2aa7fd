using PsyLite.Training.Kernels;

namespace PsyLite.Training.Layers;

/// <summary>
/// Grouped-query causal attention inside segments, one (segment, head) per task. Scores are computed in blocks of rows that stop
/// at the diagonal; the backward pass rebuilds them from the kept log-sum-exp instead of keeping T^2 probabilities
/// (FlashAttention, arXiv 2205.14135).
/// </summary>
internal sealed class Attention
{
    /// <summary>Rows per block: a multiple of both the tile height 12 and the tile width 32.</summary>
    private const int RowBlock = 96;

    private readonly Workspace _workspace;
    private readonly Matrix[] _scores;
    private readonly Matrix[] _gradients;
    private readonly Matrix _rowFactors;
    private readonly float _scale;

    public Attention(Workspace workspace)
    {
        _workspace = workspace;
        _scale = 1f / MathF.Sqrt(workspace.Config.HeadSize);

        // The extra 16 floats keep rows off a common power-of-two stride, where they would share a few ways of L1.
        var stride = ((workspace.MaxTokens + 15) / 16 * 16) + 16;
        _scores = [.. Enumerable.Range(0, workspace.Pool.Threads).Select(_ => workspace.Allocate(RowBlock, stride))];
        _gradients = [.. Enumerable.Range(0, workspace.Pool.Threads).Select(_ => workspace.Allocate(RowBlock, stride))];
        _rowFactors = workspace.Allocate(workspace.Pool.Threads, RowBlock);
    }

    /// <summary>attended [T x heads * headSize] from the rotated qkv [T x qkv]; logSumExp [heads x maxTokens] is kept for the backward pass.</summary>
    public void Forward(Matrix qkv, Segments segments, Matrix attended, Matrix logSumExp)
    {
        var heads = _workspace.Config.Heads;
        _workspace.Pool.Tasks(segments.LongestFirst.Count * heads, (worker, task) =>
        {
            var (start, length) = segments.LongestFirst[task / heads];
            ForwardHead(worker, qkv, start, length, task % heads, attended, logSumExp);
        });
    }

    /// <summary>
    /// dqkv (with respect to the rotated queries and keys) from dAttended. Writes attended again on the way: one narrow product more costs
    /// less than keeping it in every block.
    /// </summary>
    public void Backward(Matrix qkv, Segments segments, Matrix attended, Matrix dAttended, Matrix logSumExp, Matrix dqkv)
    {
        var groups = _workspace.Config.KeyValueHeads;
        _workspace.Pool.Tasks(segments.LongestFirst.Count * groups, (worker, task) =>
        {
            var (start, length) = segments.LongestFirst[task / groups];
            var group = task % groups;
            RowKernel.Clear(KeyOf(dqkv, start, length, group), 0, length);
            RowKernel.Clear(ValueOf(dqkv, start, length, group), 0, length);
            for (var query = 0; query < _workspace.Config.QueriesPerGroup; query++)
            {
                BackwardHead(worker, qkv, start, length, (group * _workspace.Config.QueriesPerGroup) + query, attended, dAttended, logSumExp, dqkv);
            }
        });
    }

    private void ForwardHead(int worker, Matrix qkv, int start, int length, int head, Matrix attended, Matrix logSumExp)
    {
        var gemm = _workspace.Gemm;
        var group = head / _workspace.Config.QueriesPerGroup;
        var (q, k, v) = (QueryOf(qkv, start, length, head), KeyOf(qkv, start, length, group), ValueOf(qkv, start, length, group));
        var output = HeadOf(attended, start, length, head);
        var kept = logSumExp.RowSpan(head);
        var inverseSums = _rowFactors.RowSpan(worker);
        for (var row = 0; row < length; row += RowBlock)
        {
            var rows = Math.Min(RowBlock, length - row);
            var end = row + rows;
            var scores = _scores[worker].Window(0, rows, 0, end);
            gemm.MultiplyOn(worker, Product.TransposedRight(RowsOf(q, row, rows), k.FirstRows(end), scores));
            SoftmaxKernel.CausalForward(scores, row, _scale, inverseSums, kept.Slice(start + row, rows));
            gemm.MultiplyOn(worker, Product.Plain(scores, v.FirstRows(end), RowsOf(output, row, rows)));
            RowKernel.ScaleRows(RowsOf(output, row, rows), inverseSums);
        }
    }

    private void BackwardHead(int worker, Matrix qkv, int start, int length, int head, Matrix attended, Matrix dAttended, Matrix logSumExp, Matrix dqkv)
    {
        var gemm = _workspace.Gemm;
        var group = head / _workspace.Config.QueriesPerGroup;
        var (q, k, v) = (QueryOf(qkv, start, length, head), KeyOf(qkv, start, length, group), ValueOf(qkv, start, length, group));
        var (dq, dk, dv) = (QueryOf(dqkv, start, length, head), KeyOf(dqkv, start, length, group), ValueOf(dqkv, start, length, group));
        var (o, outer) = (HeadOf(attended, start, length, head), HeadOf(dAttended, start, length, head));
        var kept = logSumExp.RowSpan(head);
        var deltas = _rowFactors.RowSpan(worker);
        for (var row = 0; row < length; row += RowBlock)
        {
            var rows = Math.Min(RowBlock, length - row);
            var end = row + rows;
            var p = _scores[worker].Window(0, rows, 0, end);
            var ds = _gradients[worker].Window(0, rows, 0, end);
            var outerRows = RowsOf(outer, row, rows);
            gemm.MultiplyOn(worker, Product.TransposedRight(RowsOf(q, row, rows), k.FirstRows(end), p));
            gemm.MultiplyOn(worker, Product.TransposedRight(outerRows, v.FirstRows(end), ds));
            SoftmaxKernel.CausalRebuild(p, row, _scale, kept.Slice(start + row, rows));
            gemm.MultiplyOn(worker, Product.Plain(p, v.FirstRows(end), RowsOf(o, row, rows)));
            SoftmaxKernel.RowDots(outerRows, RowsOf(o, row, rows), deltas);
            SoftmaxKernel.CausalBackward(p, ds, row, deltas);
            gemm.MultiplyOn(worker, Product.TransposedLeft(p, outerRows, dv.FirstRows(end), accumulate: true));
            gemm.MultiplyOn(worker, Product.Plain(ds, k.FirstRows(end), RowsOf(dq, row, rows), alpha: _scale));
            gemm.MultiplyOn(worker, Product.TransposedLeft(ds, RowsOf(q, row, rows), dk.FirstRows(end), accumulate: true, alpha: _scale));
        }
    }

    private static Matrix RowsOf(Matrix matrix, int row, int rows) => matrix.Window(row, rows, 0, matrix.Columns);

    private Matrix HeadOf(Matrix attended, int start, int length, int head) =>
        attended.Window(start, length, head * _workspace.Config.HeadSize, _workspace.Config.HeadSize);

    // Row of the fused projection: for each key/value group its queries, then its key, then its value.
    private Matrix QueryOf(Matrix qkv, int start, int length, int head) =>
        Slot(qkv, start, length, head / _workspace.Config.QueriesPerGroup, head % _workspace.Config.QueriesPerGroup);

    private Matrix KeyOf(Matrix qkv, int start, int length, int group) => Slot(qkv, start, length, group, _workspace.Config.QueriesPerGroup);

    private Matrix ValueOf(Matrix qkv, int start, int length, int group) => Slot(qkv, start, length, group, _workspace.Config.QueriesPerGroup + 1);

    private Matrix Slot(Matrix qkv, int start, int length, int group, int slot)
    {
        var headSize = _workspace.Config.HeadSize;
        return qkv.Window(start, length, ((group * (_workspace.Config.QueriesPerGroup + 2)) + slot) * headSize, headSize);
    }
}
