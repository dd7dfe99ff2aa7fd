using System.Diagnostics;
using PsyLite.Training.Data;
using PsyLite.Training.Kernels;

namespace PsyLite.Training;

/// <summary>What a recipe will cost, worked out before a weight is loaded.</summary>
/// <param name="Weights">Number of weights of the base model.</param>
/// <param name="Trained">Number of those that train: adapters, or all.</param>
/// <param name="WeightBytes">Frozen weights.</param>
/// <param name="TrainedBytes">Trained values, gradients and two moments.</param>
/// <param name="ActivationBytes">Everything that a step works in.</param>
/// <param name="Steps">Updates; null while the data cannot be read.</param>
/// <param name="Tokens">Tokens of all updates.</param>
/// <param name="GigaFlops">Speed of a large matrix product on this machine, in 10^9 operations a second.</param>
/// <param name="Missing">Why the data cannot be read.</param>
public sealed record TrainingPlan(
    long Weights, long Trained, long WeightBytes, long TrainedBytes, long ActivationBytes, int? Steps, long? Tokens, double GigaFlops, TimeSpan? Time, string? Missing)
{
    /// <summary>Share of the speed of a large product that whole steps reach (`psylite bench train`).</summary>
    private const double StepEfficiency = 0.75;

    /// <summary>Runtime, program and vocabulary.</summary>
    private const long ProgramBytes = 120L << 20;

    public long TotalBytes => WeightBytes + TrainedBytes + ActivationBytes + ProgramBytes;

    /// <param name="preferences">Whether the data are pairs.</param>
    public static TrainingPlan For(RecipeOptions options, ComposerPrompts prompts, bool preferences)
    {
        var (steps, tokens, labelled, pairs, missing) = Measure(options, prompts, preferences);
        var (weightBytes, trained) = Weigh(options);
        using var pool = new WorkerPool(options.Threads);
        var speed = ProductSpeed(pool) * 1e9;

        // Recomputing adds a forward pass: 2 operations per weight to 4 (adapters) or 6.
        var flops = StepCost.Flops(options.Model, options.Lora, tokens ?? 0, labelled, pairs) * (options.Recompute ? (options.Lora is null ? 4.0 / 3 : 1.5) : 1.0);
        return new TrainingPlan(
            TensorShape.Decoder(options.Model).Sum(s => s.Count), trained, weightBytes, trained * 4 * sizeof(float), Activations(options), steps, tokens, speed / 1e9,
            tokens is null ? null : TimeSpan.FromSeconds(flops / (speed * StepEfficiency)), missing);
    }

    /// <summary>The same sums as <see cref="Layers.Workspace"/> and <see cref="Layers.BlockActivations"/> allocate.</summary>
    internal static long Activations(RecipeOptions options)
    {
        var (c, rows) = (options.Model, (long)options.BatchTokens);
        long rank = options.Lora?.Rank ?? 0;
        var kept = (rows * ((long)c.QkvSize + c.HiddenSize + Layers.BlockActivations.Width(c) + c.Heads)) + (5 * rows * rank);
        var blocks = ((options.Recompute ? 1 : c.Layers) * kept) + (c.Layers * ((rows * c.HiddenSize) + (2 * rows) + (32L * c.HiddenSize)));
        var room = Math.Max(Losses.CrossEntropyHead.Floats(c, (int)rows), rows * c.IntermediateSize);
        var head = room + (options.Lora is { Output: true } ? Losses.CrossEntropyHead.Chunk(c, (int)rows) * rank : 0);
        var shared = rows * (c.HeadSize + (4L * c.HiddenSize) + rank);
        var dropped = options.Lora is { Dropout: > 0 } ? rows * Math.Max(c.HiddenSize, c.IntermediateSize) : 0;
        var attention = 2L * options.Threads * 96 * (rows + 32);
        return (blocks + head + shared + dropped + attention) * sizeof(float);
    }

    private static (int? Steps, long? Tokens, double Labelled, double Pairs, string? Missing) Measure(RecipeOptions options, ComposerPrompts prompts, bool preferences)
    {
        try
        {
            var (steps, rows) = preferences ? Rows(PreferenceData.Read(options)) : Rows(SftData.Read(options, prompts));

            // A sample of the rows stands for all of them.
            var sample = rows.Take(200).ToList();
            var share = (double)steps * options.RowsPerStep / sample.Count;
            var pairs = sample.Sum(row => Segments(row).Sum(length => length * (length + 1) / 2));
            return (steps, (long)(share * sample.Sum(r => (double)r.Length)), share * sample.Sum(r => (double)r.Labels.Count(l => l != TrainingBatch.Ignored)), share * pairs, null);
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException)
        {
            return (null, null, 0, 0, e.Message);
        }
    }

    private static (int Steps, IEnumerable<TrainingBatch> Rows) Rows(SftData data) => (data.Steps, All(data.Rows).Select(row => PackedRow.ToBatch([row])));

    private static (int Steps, IEnumerable<TrainingBatch> Rows) Rows(PreferenceData data) => (data.Steps, All(data.Packs).Select(pack => pack.Row));

    private static IEnumerable<T> All<T>(RowStream<T> stream)
        where T : class
    {
        while (stream.Next() is { } row)
        {
            yield return row;
        }
    }

    private static IEnumerable<double> Segments(TrainingBatch row) =>
        row.SegmentStarts.Select((start, i) => (double)((i + 1 < row.SegmentStarts.Length ? row.SegmentStarts[i + 1] : row.Length) - start));

    private static (long FrozenBytes, long Trained) Weigh(RecipeOptions options)
    {
        var shapes = TensorShape.Decoder(options.Model);
        if (options.Lora is null)
        {
            return (0, shapes.Sum(s => s.Count));
        }

        var bytes = shapes.Sum(s => options.Quantisation switch
        {
            _ when s.IsVector => s.Count * sizeof(float),
            Quantisation.None => s.Count * sizeof(float),
            Quantisation.Nf4 when s.IsBlockLinear => (s.Count / 2) + (s.Count / Nf4Matrix.Block),
            _ => s.Count * sizeof(ushort),
        });
        return (bytes, TensorShape.Adapters(options.Model, options.Lora).Sum(s => s.Count));
    }

    /// <summary>10^9 operations a second of a product of the size that training is made of.</summary>
    private static double ProductSpeed(WorkerPool pool)
    {
        const int Size = 768;
        using var buffer = new NativeBuffer(3L * Size * Size);
        using var gemm = new Gemm(pool, GemmEngine.Best);
        var product = Product.TransposedRight(buffer.Matrix(Size, Size), buffer.Matrix(Size, Size, Size * Size), buffer.Matrix(Size, Size, 2L * Size * Size));
        gemm.Multiply(product);
        var (best, until) = (double.PositiveInfinity, Stopwatch.StartNew());
        while (until.ElapsedMilliseconds < 300)
        {
            var start = Stopwatch.GetTimestamp();
            gemm.Multiply(product);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * Size * Size * Size / best / 1e9;
    }
}
