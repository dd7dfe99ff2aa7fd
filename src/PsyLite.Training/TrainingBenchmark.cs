using System.Diagnostics;
using PsyLite.Models;
using PsyLite.Training.Kernels;
using PsyLite.Training.Optim;

namespace PsyLite.Training;

/// <summary>What one timed configuration reached. GFlops counts useful operations only: masked attention scores and prompt logits are none.</summary>
public sealed record TrainingFigures(
    string Case, int Threads, string Kernel, int TokensPerStep, int Steps, double MedianStepMs, double BestStepMs, double TokensPerSecond, double GFlops, double PeakRssMiB, double LastLoss);

/// <summary>
/// Times full fine-tuning steps (forward, backward, AdamW) on random tokens, a quarter of each sequence being an unlabelled prompt: the
/// same work as a PyTorch script would do on the named configurations.
/// </summary>
public sealed class TrainingBenchmark(WorkerPool pool)
{
    private const int Warmup = 3;
    private const double LearningRate = 1e-4;

    /// <summary>About 8 M parameters at 512 tokens.</summary>
    public static ModelConfig Small { get; } = new(VocabSize: 4096, HiddenSize: 256, IntermediateSize: 768, Layers: 6, Heads: 8, KeyValueHeads: 4, ContextLength: 512);

    /// <summary>About 120 M parameters at 512 tokens.</summary>
    public static ModelConfig Base { get; } = new(VocabSize: 8192, HiddenSize: 1024, IntermediateSize: 2816, Layers: 8, Heads: 16, KeyValueHeads: 8, ContextLength: 512);

    /// <summary>Runs steps of <paramref name="sequences"/> sequences of the configuration's context length each and takes the median.</summary>
    public TrainingFigures Run(string name, ModelConfig config, int sequences, int steps, Action<TrainingPhase, TimeSpan>? onPhase = null)
    {
        var tokens = sequences * config.ContextLength;
        using var model = new Transformer(config, pool, tokens);
        model.Parameters.Initialise(seed: 0);
        using var optimiser = new AdamW(model.Parameters, pool, new AdamWOptions(WeightDecay: 0.01f));
        var batch = RandomBatch(config, sequences, new Random(1));
        var milliseconds = new double[steps];
        var loss = 0.0;
        for (var step = -Warmup; step < steps; step++)
        {
            var start = Stopwatch.GetTimestamp();
            model.Parameters.ClearGradients();
            loss = model.LossAndGradients(batch).Mean;
            var middle = Stopwatch.GetTimestamp();
            optimiser.Step(LearningRate);
            if (step >= 0)
            {
                milliseconds[step] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                onPhase?.Invoke(TrainingPhase.Gradients, Stopwatch.GetElapsedTime(start, middle));
                onPhase?.Invoke(TrainingPhase.Optimiser, Stopwatch.GetElapsedTime(middle));
            }
        }

        Array.Sort(milliseconds);
        var median = milliseconds[steps / 2];
        return new TrainingFigures(
            name, pool.Threads, GemmEngine.Best.Name, tokens, steps, median, milliseconds[0], tokens / median * 1e3, UsefulFlops(config, batch) / median * 1e-6, PeakRss(), loss);
    }

    /// <summary>2 operations per weight and token forward, 4 backward; attention counts the causal triangle of each segment; the head counts labelled tokens.</summary>
    internal static double UsefulFlops(ModelConfig c, TrainingBatch batch)
    {
        double perToken = c.Layers * (((double)c.QkvSize * c.HiddenSize) + ((double)c.HiddenSize * c.HiddenSize) + (3.0 * c.IntermediateSize * c.HiddenSize));
        double labelled = Enumerable.Range(0, batch.Length).Count(t => batch.WeightOf(t) != 0f);
        double pairs = 0;
        for (var i = 0; i < batch.SegmentStarts.Length; i++)
        {
            double length = (i + 1 < batch.SegmentStarts.Length ? batch.SegmentStarts[i + 1] : batch.Length) - batch.SegmentStarts[i];
            pairs += length * (length + 1) / 2;
        }

        return 6.0 * ((perToken * batch.Length) + (labelled * c.VocabSize * c.HiddenSize) + (2.0 * pairs * c.HiddenSize * c.Layers));
    }

    private static TrainingBatch RandomBatch(ModelConfig config, int sequences, Random random)
    {
        var length = config.ContextLength;
        var tokens = Enumerable.Range(0, sequences * length).Select(_ => random.Next(config.VocabSize)).ToArray();
        var labels = new int[tokens.Length];
        for (var t = 0; t < tokens.Length; t++)
        {
            var position = t % length;
            labels[t] = position + 1 < length / 4 || position + 1 == length ? TrainingBatch.Ignored : tokens[t + 1];
        }

        return new TrainingBatch(tokens, labels, [.. Enumerable.Range(0, sequences).Select(s => s * length)]);
    }

    private static double PeakRss()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / (1024.0 * 1024.0);
    }
}

/// <summary>Parts of a timed step.</summary>
public enum TrainingPhase
{
    Gradients,
    Optimiser,
}
