using PsyLite.Training.Data;
using PsyLite.Training.Kernels;
using PsyLite.Training.Losses;
using PsyLite.Training.Optim;
using PsyLite.Training.Running;

namespace PsyLite.Training;

/// <summary>
/// Stage 2: odds-ratio preference optimisation (ORPO) on packs of whole pairs, of all weights, of adapters, or of adapters on quantised
/// weights. Reads top-down and in step with <see cref="SftRecipe"/>.
/// </summary>
public static class OrpoRecipe
{
    /// <inheritdoc cref="SftRecipe.Run"/>
    public static void Run(RecipeOptions options, bool resume, IProgress<StepReport> progress, CancellationToken cancellationToken)
    {
        var data = PreferenceData.Read(options);
        var preference = new OrpoLoss(options.Orpo);
        using var pool = new WorkerPool(options.Threads);
        using var model = StartingModel.Load(options, pool);
        using var optimiser = new AdamW(model.Trainable, pool, new AdamWOptions(options.Beta1, options.Beta2, WeightDecay: options.WeightDecay));
        using var run = new TrainingRun(options, data.Steps, model, optimiser, resume, progress);
        var schedule = CosineSchedule.For(options, data.Steps);
        data.Packs.Skip(run.RowsTaken);

        for (var step = run.FirstStep; step < data.Steps; step++)
        {
            run.StopIfAsked(step, data.Packs.Taken, cancellationToken);
            var batches = data.Packs.Take(options.RowsPerStep).Chunk(options.Batch).Select(PreferenceBatch.Join).ToList();
            model.Trainable.ClearGradients();
            var sum = AddGradients(model, preference, batches, options, step);
            var rate = schedule.At(step);
            var norm = optimiser.Step(rate, options.ClipNorm);
            run.StopIfBroken(step, sum.Loss, norm);

            var held = default(OrpoSum);
            if (run.ValidatesAfter(step))
            {
                held = Validate(model, preference, data.Held);
                run.LogReplies(step, SampleReplies.Ask(model, data.Tokenizer, options));
            }

            run.Complete(step, batches.Sum(b => b.Row.Length), data.Packs.Taken, (tokens, speed) =>
                new StepReport(step + 1, data.Steps, sum.Loss, norm, rate, speed, tokens, held.Pairs > 0 ? held.Loss : null)
                {
                    Preference = PreferenceReport.From(sum, options.Orpo),
                    HeldOut = held.Pairs > 0 ? PreferenceReport.From(held, options.Orpo) : null,
                });
        }
    }

    /// <summary>
    /// One forward pass for the log-probabilities of both replies of each pair; the loss over them says with what weight each token's
    /// gradient enters; one backward pass adds it.
    /// </summary>
    private static OrpoSum AddGradients(Transformer model, OrpoLoss preference, List<PreferenceBatch> batches, RecipeOptions options, int step)
    {
        var total = batches.Aggregate(default(OrpoCounts), (counts, b) => counts + preference.Count(b));
        var (logProbabilities, weights) = (new float[options.BatchTokens], new float[options.BatchTokens]);
        var sum = default(OrpoSum);
        for (var i = 0; i < batches.Count; i++)
        {
            var counts = options.Averaging == Averaging.Step ? total : preference.Count(batches[i]) * batches.Count;
            model.DropoutSeed = options.DropoutSeed(step, i);
            model.LogProbabilities(batches[i].Row, logProbabilities);
            sum += preference.Score(batches[i], logProbabilities, counts, weights);
            model.AddGradients(weights);
        }

        return sum;
    }

    private static OrpoSum Validate(Transformer model, OrpoLoss preference, IReadOnlyList<PreferenceBatch> batches)
    {
        var total = batches.Aggregate(default(OrpoCounts), (counts, b) => counts + preference.Count(b));
        var (logProbabilities, weights) = (new float[model.MaxTokens], new float[model.MaxTokens]);
        model.DropoutSeed = null;
        var sum = default(OrpoSum);
        foreach (var batch in batches)
        {
            model.LogProbabilities(batch.Row, logProbabilities);
            sum += preference.Score(batch, logProbabilities, total, weights);
        }

        return sum;
    }
}
