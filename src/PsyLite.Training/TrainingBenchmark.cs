using System.Diagnostics;
using PsyLite.Models;
using PsyLite.Training.Kernels;
using PsyLite.Training.Losses;
using PsyLite.Training.Optim;

namespace PsyLite.Training;

/// <summary>What one timed configuration reached. GFlops counts useful operations only: masked attention scores and prompt logits are none.</summary>
public sealed record TrainingFigures(
    string Case, int Threads, string Kernel, int TokensPerStep, int Steps, double MedianStepMs, double BestStepMs, double TokensPerSecond, double GFlops, double PeakRssMiB, double LastLoss);

/// <summary>
/// Times steps of either stage (forward, backward, AdamW) on random tokens, a quarter of each sequence being an unlabelled prompt: the
/// same work as a PyTorch script would do on the named configurations.
/// </summary>
public sealed class TrainingBenchmark(WorkerPool pool)
{
    /// <summary>Untimed steps; a single timed step has none before it, because its model is too large to wait.</summary>
    private const int Warmup = 3;
    private const double LearningRate = 1e-4;

    /// <summary>About 8 M parameters at 512 tokens.</summary>
    public static ModelConfig Small { get; } = new(VocabSize: 4096, HiddenSize: 256, IntermediateSize: 768, Layers: 6, Heads: 8, KeyValueHeads: 4, ContextLength: 512);

    /// <summary>About 120 M parameters at 512 tokens.</summary>
    public static ModelConfig Base { get; } = new(VocabSize: 8192, HiddenSize: 1024, IntermediateSize: 2816, Layers: 8, Heads: 16, KeyValueHeads: 8, ContextLength: 512);

    /// <summary>InternLM2.5-7B at 512 tokens.</summary>
    public static ModelConfig SevenBillion { get; } = new(VocabSize: 92544, HiddenSize: 4096, IntermediateSize: 14336, Layers: 32, Heads: 32, KeyValueHeads: 8, ContextLength: 512);

    /// <summary>
    /// Runs steps of <paramref name="sequences"/> sequences (or pairs of sequences, for ORPO) of the configuration's context length each and
    /// takes the median.
    /// </summary>
    public TrainingFigures Run(string name, ModelConfig config, int sequences, int steps, TuningOptions? tuning = null, bool preferences = false, Action<TrainingPhase, TimeSpan>? onPhase = null)
    {
        var tokens = sequences * config.ContextLength * (preferences ? 2 : 1);
        using var model = new Transformer(config, pool, tokens, tuning);
        Fill(model.Parameters);
        model.Adapters?.Initialise(seed: 0);
        using var optimiser = new AdamW(model.Trainable, pool, new AdamWOptions(WeightDecay: 0.01f));
        var pairs = preferences ? RandomPairs(config, sequences, new Random(1)) : null;
        var batch = pairs?.Row ?? RandomBatch(config, sequences, new Random(1));
        var milliseconds = new double[steps];
        var loss = 0.0;
        for (var step = steps > 1 ? -Warmup : 0; step < steps; step++)
        {
            var start = Stopwatch.GetTimestamp();
            model.Trainable.ClearGradients();
            loss = pairs is null ? model.LossAndGradients(batch).Mean : Prefer(model, pairs);
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
            name, pool.Threads, GemmEngine.Best.Name, tokens, steps, median, milliseconds[0], tokens / median * 1e3, StepCost.Flops(config, tuning?.Lora, batch) / median * 1e-6, PeakRss(), loss);
    }

    /// <summary>Even random numbers of the usual size, repeated with a prime period: a model of billions is filled in seconds.</summary>
    private void Fill(ParameterSet weights)
    {
        const int Period = 65521;
        var random = new Random(0);
        var numbers = Enumerable.Range(0, Period).Select(_ => ((2f * random.NextSingle()) - 1f) * 0.035f).ToArray();
        weights.Load([.. weights.All.Select(parameter => parameter.Source with { Read = (start, values) => Repeat(parameter.IsVector ? [1f] : numbers, start, values) })], pool);
    }

    private static void Repeat(ReadOnlySpan<float> numbers, long start, Span<float> values)
    {
        for (var rest = numbers[(int)(start % numbers.Length)..]; values.Length > 0; rest = numbers)
        {
            var count = Math.Min(rest.Length, values.Length);
            rest[..count].CopyTo(values);
            values = values[count..];
        }
    }

    private static double Prefer(Transformer model, PreferenceBatch pairs)
    {
        var loss = new OrpoLoss(new OrpoOptions());
        var (logProbabilities, weights) = (new float[pairs.Row.Length], new float[pairs.Row.Length]);
        model.LogProbabilities(pairs.Row, logProbabilities);
        var sum = loss.Score(pairs, logProbabilities, loss.Count(pairs), weights);
        model.AddGradients(weights);
        return sum.Loss;
    }

    private static PreferenceBatch RandomPairs(ModelConfig config, int pairs, Random random)
    {
        var (length, prompt) = (config.ContextLength, config.ContextLength / 4);
        return new PreferenceBatch([.. Enumerable.Range(0, 2 * pairs).Select(_ => (Enumerable.Range(0, length).Select(_ => random.Next(config.VocabSize)).ToArray(), prompt))], promptLabels: false);
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
