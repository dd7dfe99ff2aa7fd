using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using PsyLite.Models.Text;
using PsyLite.Training.Data;
using PsyLite.Training.Kernels;
using PsyLite.Training.Optim;

namespace PsyLite.Training;

/// <summary>What a training step reports.</summary>
/// <param name="Loss">Mean loss over the step's labelled tokens, in nats.</param>
/// <param name="ValidationLoss">Mean loss on held-back text; null between validation passes.</param>
public sealed record StepReport(int Step, int Steps, double Loss, double GradientNorm, double LearningRate, double TokensPerSecond, long Tokens, double? ValidationLoss);

/// <summary>
/// Full-parameter training on packed conversations: pretraining when every token carries loss, supervised fine-tuning when only
/// the last reply does. Reads top-down: prepare, loop, validate, save.
/// </summary>
public static class SftRecipe
{
    /// <summary>Runs to the last step of the recipe, or to cancellation, which leaves a checkpoint to resume from.</summary>
    /// <param name="resume">Continue from <c>last.ckpt</c> in the output folder.</param>
    /// <exception cref="InvalidDataException">Text, vocabulary and recipe do not fit together.</exception>
    /// <exception cref="ArithmeticException">The loss is no longer a number; the last good checkpoint is kept.</exception>
    public static void Run(RecipeOptions options, ComposerPrompts prompts, bool resume, IProgress<StepReport> progress, CancellationToken cancellationToken)
    {
        var tokenizer = new SentencePieceTokenizer(SentencePieceModel.Load(options.Tokenizer));
        if (tokenizer.Model.VocabSize != options.Model.VocabSize)
        {
            throw new InvalidDataException($"{options.Tokenizer} has {tokenizer.Model.VocabSize} pieces, the recipe says vocabSize {options.Model.VocabSize}.");
        }

        var encoder = new SampleEncoder(tokenizer, options.Decisions);
        var corpus = TextCorpus.Read(options.Corpora);
        PackedBatches Stream(int seed, bool heldOut) =>
            new(new DialogueComposer(corpus, prompts, heldOut, options.Mix).Compose(seed), encoder, options.Loss, options.RowTokens, options.MaxSampleTokens);
        var train = Stream(options.Seed, heldOut: false);
        var validation = Stream(options.Seed, heldOut: true);
        var validationRows = Enumerable.Range(0, options.ValidationRows).Select(_ => ToBatch(validation.Next()!)).ToList();

        using var pool = new WorkerPool(options.Threads);
        using var model = new Transformer(options.Model, pool, options.RowTokens);
        using var optimiser = new AdamW(model.Parameters, pool, new AdamWOptions(options.Beta1, options.Beta2, WeightDecay: options.WeightDecay));
        var last = Path.Combine(options.Output, "last.ckpt");
        var first = Begin(options, model, optimiser, train, last, resume);
        Directory.CreateDirectory(options.Output);
        File.WriteAllText(Path.Combine(options.Output, "recipe.json"), options.ToJson());
        using var metrics = new StreamWriter(Path.Combine(options.Output, "metrics.jsonl"), append: resume);

        var schedule = new CosineSchedule(options.LearningRate, (int)(options.WarmupRatio * options.Steps), options.Steps, options.FinalRate * options.LearningRate);
        long tokens = 0;
        var clock = Stopwatch.StartNew();
        for (var step = first; step < options.Steps; step++)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                Save(last, model, optimiser, step, train);
                cancellationToken.ThrowIfCancellationRequested();
            }

            var rows = Enumerable.Range(0, options.Accumulation).Select(_ => ToBatch(train.Next()!)).ToList();
            var weight = rows.Sum(r => r.TotalWeight);
            model.Parameters.ClearGradients();
            var loss = rows.Sum(r => model.LossAndGradients(r, weight).Sum) / weight;
            if (!double.IsFinite(loss))
            {
                throw new ArithmeticException($"the loss of step {step} is {loss}; lower learningRate and resume from {last}.");
            }

            var rate = schedule.At(step);
            var norm = optimiser.Step(rate, options.ClipNorm);
            tokens += rows.Sum(r => (long)r.Length);
            var validate = (step + 1) % options.ValidateEvery == 0 || step + 1 == options.Steps;
            double? held = validate ? Validate(model, validationRows) : null;
            var report = new StepReport(step + 1, options.Steps, loss, norm, rate, tokens / clock.Elapsed.TotalSeconds, tokens, held);
            metrics.WriteLine(JsonSerializer.Serialize(report, JsonSerializerOptions.Web));
            metrics.Flush();
            progress.Report(report);
            if ((step + 1) % options.CheckpointEvery == 0 || step + 1 == options.Steps)
            {
                Save(last, model, optimiser, step + 1, train);
            }
        }
    }

    private static int Begin(RecipeOptions options, Transformer model, AdamW optimiser, PackedBatches train, string last, bool resume)
    {
        if (resume)
        {
            var position = Checkpoint.Load(last, model.Parameters, optimiser);
            var parts = System.Text.Encoding.UTF8.GetString(position).Split(' ');
            train.Skip(long.Parse(parts[1], CultureInfo.InvariantCulture));
            return int.Parse(parts[0], CultureInfo.InvariantCulture);
        }

        if (options.StartFrom is { } start)
        {
            Checkpoint.LoadWeights(start, model.Parameters);
        }
        else
        {
            model.Parameters.Initialise(options.Seed);
        }

        return 0;
    }

    private static void Save(string path, Transformer model, AdamW optimiser, int step, PackedBatches train) =>
        Checkpoint.Save(path, model.Parameters, optimiser, System.Text.Encoding.UTF8.GetBytes($"{step.ToString(CultureInfo.InvariantCulture)} {train.RowsTaken.ToString(CultureInfo.InvariantCulture)}"));

    private static double Validate(Transformer model, IReadOnlyList<TrainingBatch> rows) =>
        rows.Sum(r => model.Loss(r).Sum) / rows.Sum(r => r.TotalWeight);

    private static TrainingBatch ToBatch(PackedRow row) => new(row.Tokens, row.Labels, row.SegmentStarts, row.Weights);
}
