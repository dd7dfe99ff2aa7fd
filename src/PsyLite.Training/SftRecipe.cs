using PsyLite.Training.Data;
using PsyLite.Training.Kernels;
using PsyLite.Training.Optim;
using PsyLite.Training.Running;

namespace PsyLite.Training;

/// <summary>
/// Stage 1: training on packed conversations. Pretraining when every token carries loss, supervised fine-tuning when only the last reply
/// does; of all weights, of adapters (LoRA), or of adapters on quantised weights (QLoRA). Reads top-down: prepare, loop, validate, save.
/// </summary>
public static class SftRecipe
{
    /// <summary>Runs to the last step of the recipe, or to cancellation, which leaves a checkpoint to resume from.</summary>
    /// <param name="resume">Continue from <c>last.ckpt</c> in the output folder.</param>
    /// <exception cref="InvalidDataException">Text, vocabulary and recipe do not fit together.</exception>
    /// <exception cref="ArithmeticException">The loss is no longer a number, or diverged; the last good checkpoint is kept.</exception>
    public static void Run(RecipeOptions options, ComposerPrompts prompts, bool resume, IProgress<StepReport> progress, CancellationToken cancellationToken)
    {
        var data = SftData.Read(options, prompts);
        using var pool = new WorkerPool(options.Threads);
        using var model = StartingModel.Load(options, pool);
        using var optimiser = new AdamW(model.Trainable, pool, new AdamWOptions(options.Beta1, options.Beta2, WeightDecay: options.WeightDecay));
        using var run = new TrainingRun(options, data.Steps, model, optimiser, resume, progress);
        var schedule = CosineSchedule.For(options, data.Steps);
        data.Rows.Skip(run.RowsTaken);

        for (var step = run.FirstStep; step < data.Steps; step++)
        {
            run.StopIfAsked(step, data.Rows.Taken, cancellationToken);
            var batches = data.Rows.Take(options.RowsPerStep).Chunk(options.Batch).Select(PackedRow.ToBatch).ToList();
            model.Trainable.ClearGradients();
            var loss = AddGradients(model, batches, options, step);
            var rate = schedule.At(step);
            var norm = optimiser.Step(rate, options.ClipNorm);
            run.StopIfBroken(step, loss, norm);

            double? held = null;
            if (run.ValidatesAfter(step))
            {
                held = Validate(model, data.Held);
                run.LogReplies(step, SampleReplies.Ask(model, data.Tokenizer, options));
            }

            run.Complete(step, batches.Sum(b => b.Length), data.Rows.Taken, (tokens, speed) => new StepReport(step + 1, data.Steps, loss, norm, rate, speed, tokens, held));
        }
    }

    /// <summary>Adds the gradient of the step's mean loss, batch by batch, and returns that loss.</summary>
    private static double AddGradients(Transformer model, List<TrainingBatch> batches, RecipeOptions options, int step)
    {
        var (total, loss) = (batches.Sum(b => b.TotalWeight), 0.0);
        for (var i = 0; i < batches.Count; i++)
        {
            var divisor = options.Averaging == Averaging.Step ? total : batches[i].TotalWeight * batches.Count;
            if (divisor > 0)
            {
                model.DropoutSeed = options.DropoutSeed(step, i);
                loss += model.LossAndGradients(batches[i], divisor).Sum / divisor;
            }
        }

        return loss;
    }

    private static double? Validate(Transformer model, IReadOnlyList<TrainingBatch> batches) =>
        batches.Sum(b => b.TotalWeight) is var weight and > 0 ? batches.Sum(b => model.Loss(b).Sum) / weight : null;
}
