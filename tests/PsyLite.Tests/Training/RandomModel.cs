using PsyLite.Models;
using PsyLite.Training;
using PsyLite.Training.Kernels;

namespace PsyLite.Tests.Training;

/// <summary>Small models, batches and matrices with seeded random contents.</summary>
internal static class RandomModel
{
    /// <summary>No size is a multiple of a vector width; head size 6.</summary>
    public static ModelConfig Odd { get; } = new(VocabSize: 67, HiddenSize: 36, IntermediateSize: 52, Layers: 2, Heads: 6, KeyValueHeads: 2, ContextLength: 64);

    /// <summary>Weights large enough that every gradient is well above rounding.</summary>
    public static Transformer Create(ModelConfig config, WorkerPool pool, int maxTokens, int seed)
    {
        var model = new Transformer(config, pool, maxTokens);
        model.Parameters.Initialise(seed);
        foreach (var parameter in model.Parameters.All.Where(p => !p.IsVector))
        {
            foreach (ref var value in parameter.Values)
            {
                value *= 8f;
            }
        }

        model.Parameters.ClearGradients();
        return model;
    }

    /// <summary>A packed row of the given segments; every fifth label is ignored, as is the last of each segment.</summary>
    public static TrainingBatch Batch(ModelConfig config, int[] segments, int seed, bool weighted = false)
    {
        var random = new Random(seed);
        var tokens = Enumerable.Range(0, segments.Sum()).Select(_ => random.Next(config.VocabSize)).ToArray();
        var labels = tokens.Select((_, t) => t % 5 == 3 || t + 1 == tokens.Length ? TrainingBatch.Ignored : tokens[t + 1]).ToArray();
        var starts = segments.Select((_, i) => segments.Take(i).Sum()).ToArray();
        foreach (var start in starts.Where(s => s > 0))
        {
            labels[start - 1] = TrainingBatch.Ignored;
        }

        return new TrainingBatch(tokens, labels, starts, weighted ? [.. tokens.Select(_ => random.NextSingle() + 0.1f)] : null);
    }

    public static float[] Gradients(Transformer model) => [.. model.Parameters.All.SelectMany(p => p.Gradient.ToArray())];

    public static float[] Values(Transformer model) => [.. model.Parameters.All.SelectMany(p => p.Values.ToArray())];

    public static void Fill(NativeBuffer buffer, Random random, float scale = 1f)
    {
        foreach (ref var value in buffer.Span(0, (int)buffer.Length))
        {
            value = ((random.NextSingle() * 2f) - 1f) * scale;
        }
    }
}
