using PsyLite.Models;
using PsyLite.Training.Kernels;
using PsyLite.Training.Layers;
using PsyLite.Training.Losses;

namespace PsyLite.Training;

/// <summary>
/// An InternLM2 decoder with hand-written gradients for one packed row of up to maxTokens tokens. All memory is
/// allocated here, none per step. Results are bit-identical for any number of threads of the pool on one
/// kind of processor; the vector width of the processor changes them in the last digits. Not thread-safe.
/// </summary>
public sealed class Transformer : IDisposable
{
    private readonly Workspace _workspace;
    private readonly DecoderWeights _parts;
    private readonly Embedding _embedding;
    private readonly DecoderBlock[] _blocks;
    private readonly RmsNorm _norm;
    private readonly CrossEntropyHead _head;
    private readonly Matrix _last;
    private readonly Matrix _gradient;
    private readonly float[] _logProbabilities;
    private readonly float[] _weights;
    private (TrainingBatch Batch, Segments Segments, int[] Rows)? _scored;

    /// <param name="maxTokens">Longest packed row.</param>
    /// <param name="tuning">What trains; null trains every weight.</param>
    public Transformer(ModelConfig config, WorkerPool pool, int maxTokens, TuningOptions? tuning = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTokens);
        Config = config.Validated();
        tuning ??= new TuningOptions();
        _parts = new DecoderWeights(config, tuning);
        _workspace = new Workspace(config, pool, maxTokens, tuning.Lora, CrossEntropyHead.Floats(config, maxTokens));
        var attention = new Attention(_workspace);
        var shared = tuning.Recompute ? new BlockActivations(_workspace, tuning.Lora?.Rank ?? 0) : null;
        _embedding = new Embedding(Parameters["model.tok_embeddings.weight"], pool);
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => new DecoderBlock(
            layer, _parts, _workspace, attention, shared ?? new BlockActivations(_workspace, tuning.Lora?.Rank ?? 0), tuning.Recompute))];
        _norm = new RmsNorm(Parameters["model.norm.weight"], _workspace);
        _head = new CrossEntropyHead(_parts, _workspace);
        _last = _workspace.Allocate(maxTokens, config.HiddenSize);
        _gradient = _workspace.Allocate(maxTokens, config.HiddenSize);
        _logProbabilities = new float[maxTokens];
        _weights = new float[maxTokens];
    }

    public ModelConfig Config { get; }

    /// <summary>The weights of the decoder; frozen under adapters.</summary>
    public ParameterSet Parameters => _parts.Base;

    /// <summary>The adapters, if it has any.</summary>
    public ParameterSet? Adapters => _parts.Adapters;

    /// <summary>What has gradients: the adapters if there are any, else every weight.</summary>
    public ParameterSet Trainable => Adapters ?? Parameters;

    /// <summary>
    /// Seed of the dropout masks of the next <see cref="LossAndGradients"/> or <see cref="LogProbabilities"/>; null drops nothing. Give each
    /// micro-batch its own. <see cref="Loss"/>, <see cref="Logits"/> and <see cref="Generate"/> never drop.
    /// </summary>
    public ulong? DropoutSeed { get; set; }

    /// <summary>Longest packed row.</summary>
    public int MaxTokens => _workspace.MaxTokens;

    /// <summary>Bytes of activations and scratch.</summary>
    internal long ActivationBytes => _workspace.Bytes;

    internal WorkerPool Pool => _workspace.Pool;

    /// <summary>[maxTokens x hidden] input of the head, until a block works again.</summary>
    private Matrix Final => _workspace.Normed;

    /// <summary>The loss alone.</summary>
    public LossSum Loss(TrainingBatch batch)
    {
        Forward(batch, dropoutSeed: null);
        _head.Score(Final.FirstRows(batch.Length), LabelledRows(batch), batch.Labels, _logProbabilities);
        return Sum(batch);
    }

    /// <summary>
    /// The loss; adds the gradient of its weighted sum / normaliser to the parameters. Over several micro-batches pass the
    /// total weight of them all; 0 stands for this batch's own, which makes it the gradient of the mean.
    /// </summary>
    public LossSum LossAndGradients(TrainingBatch batch, double normaliser = 0)
    {
        var segments = Forward(batch, DropoutSeed);
        var divisor = normaliser > 0 ? normaliser : batch.TotalWeight;
        for (var t = 0; t < batch.Length; t++)
        {
            _weights[t] = divisor > 0 ? (float)(batch.WeightOf(t) / divisor) : 0f;
        }

        Backward(batch, segments, LabelledRows(batch));
        return Sum(batch);
    }

    /// <summary>log p(label t) for every labelled token of non-zero weight, 0 elsewhere. Keeps the activations for <see cref="AddGradients"/>.</summary>
    public void LogProbabilities(TrainingBatch batch, Span<float> result)
    {
        var (segments, rows) = (Forward(batch, DropoutSeed), LabelledRows(batch));
        _logProbabilities.AsSpan(0, batch.Length).Clear();
        _head.Score(Final.FirstRows(batch.Length), rows, batch.Labels, _logProbabilities);
        _logProbabilities.AsSpan(0, batch.Length).CopyTo(result);
        _scored = (batch, segments, rows);
    }

    /// <summary>
    /// Adds the gradient of sum over t of -weights[t] * log p(label t) for the batch of the last
    /// <see cref="LogProbabilities"/> call: what a loss over log-probabilities (ORPO) needs.
    /// </summary>
    public void AddGradients(ReadOnlySpan<float> weights)
    {
        var (batch, segments, rows) = _scored ?? throw new InvalidOperationException("LogProbabilities comes first, and once for each AddGradients.");
        weights[..batch.Length].CopyTo(_weights);
        Backward(batch, segments, rows);
    }

    /// <summary>Logits [T x vocabulary] of one segment.</summary>
    public void Logits(int[] tokens, Span<float> logits)
    {
        Forward(TrainingBatch.NextToken(tokens), dropoutSeed: null);
        _head.Logits(Final, 0, tokens.Length, logits);
    }

    /// <summary>
    /// Continues a prompt for in-training samples: no key/value cache, the whole text runs again for each token. Temperature 0
    /// takes the most likely token. Ends before a stop token or when the model's capacity is reached.
    /// </summary>
    public List<int> Generate(IReadOnlyList<int> prompt, int maxNewTokens, double temperature, Random random, IReadOnlySet<int> stopTokens)
    {
        var tokens = prompt.ToList();
        var logits = new float[Config.VocabSize];
        while (tokens.Count - prompt.Count < maxNewTokens && tokens.Count < MaxTokens)
        {
            Forward(TrainingBatch.NextToken([.. tokens]), dropoutSeed: null);
            _head.Logits(Final, tokens.Count - 1, 1, logits);
            var next = Sampling.Choose(logits, temperature, random);
            if (stopTokens.Contains(next))
            {
                break;
            }

            tokens.Add(next);
        }

        return tokens[prompt.Count..];
    }

    public void Dispose()
    {
        _workspace.Dispose();
        _parts.Dispose();
    }

    private Segments Forward(TrainingBatch batch, ulong? dropoutSeed)
    {
        batch.Check(Config, MaxTokens);
        _scored = null;
        _head.Forget();
        _workspace.DropoutSeed = dropoutSeed;
        var (tokens, segments) = (batch.Length, new Segments(batch.SegmentStarts, batch.Length));
        _embedding.Forward(batch.Tokens, _blocks[0].Input);
        for (var layer = 0; layer < _blocks.Length; layer++)
        {
            var output = layer + 1 < _blocks.Length ? _blocks[layer + 1].Input : _last;
            _blocks[layer].Forward(tokens, segments, output.FirstRows(tokens));
        }

        _norm.Forward(_last.FirstRows(tokens), Final.FirstRows(tokens));
        return segments;
    }

    /// <summary>Runs the head for _weights and then the blocks backwards; the activations are used up.</summary>
    private void Backward(TrainingBatch batch, Segments segments, int[] rows)
    {
        _scored = null;
        var tokens = batch.Length;
        if (rows.Length == 0)
        {
            return;
        }

        var (gradient, finalGradient) = (_gradient.FirstRows(tokens), _workspace.NormedGradient.FirstRows(tokens));
        _head.ScoreAndBackward(Final.FirstRows(tokens), rows, batch.Labels, _weights, _logProbabilities, finalGradient);
        Pool.Ranges(tokens, (from, to) => RowKernel.Clear(gradient, from, to));
        _norm.Backward(_last.FirstRows(tokens), finalGradient, gradient);
        for (var layer = _blocks.Length - 1; layer >= 0; layer--)
        {
            _blocks[layer].Backward(tokens, segments, gradient, inputNeeded: layer > 0 || Adapters is null);
        }

        _embedding.Backward(batch.Tokens, gradient);
    }

    private static int[] LabelledRows(TrainingBatch batch) => [.. Enumerable.Range(0, batch.Length).Where(t => batch.WeightOf(t) != 0f)];

    private LossSum Sum(TrainingBatch batch)
    {
        var sum = default(LossSum);
        for (var t = 0; t < batch.Length; t++)
        {
            if (batch.WeightOf(t) is var weight && weight != 0f)
            {
                sum += new LossSum(-weight * (double)_logProbabilities[t], weight, 1);
            }
        }

        return sum;
    }
}
