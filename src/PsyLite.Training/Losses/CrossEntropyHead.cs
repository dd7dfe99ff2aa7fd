using PsyLite.Models;
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
    private int[]? _projected;

    public CrossEntropyHead(DecoderWeights weights, Workspace workspace)
    {
        var config = workspace.Config;
        _workspace = workspace;
        _chunk = Chunk(config, workspace.MaxTokens);
        _output = weights.Linear("output.weight", workspace, _chunk);
        var (hidden, room) = ((long)_chunk * config.HiddenSize, workspace.HeadRoom);
        _hidden = room.Matrix(_chunk, config.HiddenSize);
        _hiddenGradient = room.Matrix(_chunk, config.HiddenSize, hidden);
        _logits = room.Matrix(_chunk, config.VocabSize, 2 * hidden);
    }

    /// <summary>Room that a head needs for rows of up to maxTokens: a chunk of logits, of their inputs and of the gradients of these.</summary>
    public static long Floats(ModelConfig config, int maxTokens) => (long)Chunk(config, maxTokens) * (config.VocabSize + (2L * config.HiddenSize));

    /// <summary>logProbabilities[t] = log p(label t) for the given rows t of hidden [T x d].</summary>
    public void Score(Matrix hidden, int[] rows, int[] labels, float[] logProbabilities)
    {
        for (var first = 0; first < rows.Length; first += _chunk)
        {
            var chunk = rows.AsMemory(first, Math.Min(_chunk, rows.Length - first));
            var logits = Project(hidden, rows, first, chunk.Length);
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
            var logits = Project(hidden, rows, first, chunk.Length);
            _workspace.Pool.Ranges(chunk.Length, (from, to) =>
            {
                for (var i = from; i < to; i++)
                {
                    var t = chunk.Span[i];
                    logProbabilities[t] = CrossEntropyKernel.LogProbabilityAndGradient(logits, i, labels[t], weights[t]);
                }
            });
            _projected = null;
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
        _projected = null;
        for (var first = 0; first < rows; first += _chunk)
        {
            var count = Math.Min(_chunk, rows - first);
            var chunk = _logits.FirstRows(count);
            _output.Forward(hidden.Window(firstRow + first, count, 0, hidden.Columns), chunk);
            chunk.AsSpan().CopyTo(logits[(first * vocabulary)..]);
        }
    }

    /// <summary>Forgets logits that could be used again: the hidden rows are about to change.</summary>
    public void Forget() => _projected = null;

    /// <summary>Rows whose logits are held at once.</summary>
    public static int Chunk(ModelConfig config, int maxTokens) => Math.Min(maxTokens, Math.Max(SmallestChunk, LogitBudget / config.VocabSize));

    /// <summary>Logits of rows [first, first + count) of the list; those of a list that fits in one chunk are kept between scoring and gradient.</summary>
    private Matrix Project(Matrix hidden, int[] rows, int first, int count)
    {
        var logits = _logits.FirstRows(count);
        if (ReferenceEquals(_projected, rows))
        {
            return logits;
        }

        var gathered = _hidden.FirstRows(count);
        _workspace.Pool.Ranges(count, (from, to) => RowKernel.Gather(hidden, rows.AsSpan(first, count), gathered, from, to));
        _output.Forward(gathered, logits, firstRow: first);
        _projected = rows.Length <= _chunk ? rows : null;
        return logits;
    }
}
