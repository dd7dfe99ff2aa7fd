using PsyLite.Models;

namespace PsyLite.Training;

/// <summary>
/// One packed row of tokens. Attention is causal inside a segment and never crosses into another; positions restart
/// at each segment. Label t is the target of the prediction made at token t (already the next token), or
/// <see cref="Ignored"/>.
/// </summary>
public sealed class TrainingBatch
{
    public const int Ignored = -100;

    /// <param name="tokens">T token ids.</param>
    /// <param name="labels">T next-token targets, Ignored where no loss is taken.</param>
    /// <param name="segmentStarts">Ascending first indices of the segments; the first is 0.</param>
    /// <param name="weights">Loss weight of each token, or null for 1 each.</param>
    public TrainingBatch(int[] tokens, int[] labels, int[] segmentStarts, float[]? weights = null)
    {
        if (tokens.Length == 0 || labels.Length != tokens.Length || (weights is not null && weights.Length != tokens.Length))
        {
            throw new ArgumentException($"A batch needs as many labels and weights as tokens and at least one: {tokens.Length} tokens, {labels.Length} labels, {weights?.Length} weights.");
        }

        if (segmentStarts.Length == 0 || segmentStarts[0] != 0 || segmentStarts.Zip(segmentStarts.Skip(1)).Any(s => s.First >= s.Second) || segmentStarts[^1] >= tokens.Length)
        {
            throw new ArgumentException("Segment starts must ascend from 0 and stay below the number of tokens.");
        }

        (Tokens, Labels, SegmentStarts, Weights) = (tokens, labels, segmentStarts, weights);
    }

    public int[] Tokens { get; }

    public int[] Labels { get; }

    public int[] SegmentStarts { get; }

    public float[]? Weights { get; }

    public int Length => Tokens.Length;

    /// <summary>One segment with next-token labels for all tokens but the last.</summary>
    public static TrainingBatch NextToken(int[] tokens) => new(tokens, [.. tokens.Skip(1), Ignored], [0]);

    /// <summary>Weight of token t in the loss: 0 when its label is ignored.</summary>
    internal float WeightOf(int t) => Labels[t] == Ignored ? 0f : Weights?[t] ?? 1f;

    /// <summary>Sum of the weights of all labelled tokens, the divisor of the mean loss.</summary>
    public double TotalWeight => Enumerable.Range(0, Length).Sum(t => (double)WeightOf(t));

    internal void Check(ModelConfig config, int capacity)
    {
        if (Length > capacity)
        {
            throw new ArgumentException($"The batch has {Length} tokens, the model was built for {capacity}.");
        }

        if (Tokens.Any(t => (uint)t >= (uint)config.VocabSize) || Labels.Any(l => l != Ignored && (uint)l >= (uint)config.VocabSize))
        {
            throw new ArgumentException($"A token or label lies outside the vocabulary of {config.VocabSize}.");
        }
    }
}

/// <summary>Weighted negative log-likelihood over the labelled tokens of one or more batches.</summary>
public readonly record struct LossSum(double Sum, double Weight, int Tokens)
{
    public double Mean => Weight > 0 ? Sum / Weight : 0;

    public static LossSum operator +(LossSum a, LossSum b) => new(a.Sum + b.Sum, a.Weight + b.Weight, a.Tokens + b.Tokens);
}
