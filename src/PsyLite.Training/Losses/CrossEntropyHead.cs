using PsyLite.Training.Kernels;
using PsyLite.Training.Layers;

namespace PsyLite.Training.Losses;

/// <summary>
/// The output projection fused with cross-entropy. Only labelled rows get logits, a chunk of rows at a time, and the
/// logits turn into their gradient in place.
/// </summary>
internal sealed class CrossEntropyHead
{
    /// <summary>Floats of logits kept at once (64 MiB).</summary>
    private const int LogitBudget = 16 << 20;
    private const int SmallestChunk = 96;

    private readonly Workspace _workspace;
    private readonly Linear _output;
    private readonly Matrix _hidden;
    private readonly Matrix _hiddenGradient;
    private readonly Matrix _logits;
    private readonly int _chunk;

    public CrossEntropyHead(Parameter weight, Workspace workspace)
    {
        _workspace = workspace;
        _output = new Linear(weight, workspace.Gemm);
        _chunk = Math.Min(workspace.MaxTokens, Math.Max(SmallestChunk, LogitBudget / weight.Rows));
        _hidden = workspace.Allocate(_chunk, weight.Columns);
        _hiddenGradient = workspace.Allocate(_chunk, weight.Columns);
        _logits = workspace.Allocate(_chunk, weight.Rows);
    }

    /// <summary>logProbabilities[t] = log p(label t) for the given rows t of hidden [T x d].</summary>
    public void Score(Matrix hidden, int[] rows, int[] labels, float[] logProbabilities)
    {
        for (var first = 0; first < rows.Length; first += _chunk)
        {
            var chunk = rows.AsMemory(first, Math.Min(_chunk, rows.Length - first));
            var logits = Project(hidden, chunk);
            _workspace.Pool.Ranges(chunk.Length, (from, to) =>
            {
                for (var i = from; i < to; i++)
                {
                    var t = chunk.Span[i];
                    logProbabilities[t] = CrossEntropyKernel.LogProbability(logits, i, labels[t]);
                }
            });
        }
    }

    /// <summary>
    /// As <see cref="Score"/>, and adds the gradient of sum over rows of -weights[t] log p(label t): to the projection, and
    /// into hiddenGradient [T x d], whose other rows become 0.
    /// </summary>
    public void ScoreAndBackward(Matrix hidden, int[] rows, int[] labels, float[] weights, float[] logProbabilities, Matrix hiddenGradient)
    {
        _workspace.Pool.Ranges(hiddenGradient.Rows, (from, to) => RowKernel.Clear(hiddenGradient, from, to));
        for (var first = 0; first < rows.Length; first += _chunk)
        {
            var chunk = rows.AsMemory(first, Math.Min(_chunk, rows.Length - first));
            var logits = Project(hidden, chunk);
            _workspace.Pool.Ranges(chunk.Length, (from, to) =>
            {
                for (var i = from; i < to; i++)
                {
                    var t = chunk.Span[i];
                    logProbabilities[t] = CrossEntropyKernel.LogProbabilityAndGradient(logits, i, labels[t], weights[t]);
                }
            });
            var gradient = _hiddenGradient.FirstRows(chunk.Length);
            _output.BackwardInput(logits, gradient);
            _output.BackwardWeight(_hidden.FirstRows(chunk.Length), logits);
            _workspace.Pool.Ranges(hidden.Columns, (from, to) => RowKernel.ScatterAdd(gradient, chunk.Span, hiddenGradient, from, to));
        }
    }

    /// <summary>Writes the logits of consecutive rows of hidden, [rows x vocabulary], one after the other.</summary>
    public void Logits(Matrix hidden, int firstRow, int rows, Span<float> logits)
    {
        var vocabulary = _logits.Columns;
        for (var first = 0; first < rows; first += _chunk)
        {
            var count = Math.Min(_chunk, rows - first);
            var chunk = _logits.FirstRows(count);
            _output.Forward(hidden.Window(firstRow + first, count, 0, hidden.Columns), chunk);
            chunk.AsSpan().CopyTo(logits[(first * vocabulary)..]);
        }
    }

    private Matrix Project(Matrix hidden, ReadOnlyMemory<int> rows)
    {
        var gathered = _hidden.FirstRows(rows.Length);
        _workspace.Pool.Ranges(rows.Length, (from, to) => RowKernel.Gather(hidden, rows.Span, gathered, from, to));
        var logits = _logits.FirstRows(rows.Length);
        _output.Forward(gathered, logits);
        return logits;
    }
}
