using PsyLite.Training;
using PsyLite.Training.Kernels;
using PsyLite.Training.Losses;
using PsyLite.Training.Optim;

namespace PsyLite.Tests.Training;

/// <summary>What a user of the trainer sees: it learns, it speaks, it measures.</summary>
public sealed class TransformerTests
{
    [Fact]
    public void It_learns_a_sentence_by_heart_and_says_it()
    {
        using var pool = new WorkerPool(2);
        using var model = new Transformer(RandomModel.Odd, pool, 32);
        model.Parameters.Initialise(1);
        using var optimiser = new AdamW(model.Parameters, pool, new AdamWOptions());
        int[] sentence = [1, 7, 7, 12, 60, 3, 12, 9, 7, 44, 2];
        var batch = TrainingBatch.NextToken(sentence);
        var first = model.Loss(batch).Mean;
        Assert.InRange(first, Math.Log(67) - 0.3, Math.Log(67) + 0.3);
        for (var step = 0; step < 150; step++)
        {
            model.Parameters.ClearGradients();
            model.LossAndGradients(batch);
            optimiser.Step(5e-3, clipNorm: 1);
        }

        Assert.True(model.Loss(batch).Mean < 0.02, $"loss {model.Loss(batch).Mean}");
        var none = new HashSet<int>();
        Assert.Equal(sentence[3..], model.Generate(sentence[..3], 8, temperature: 0, new Random(1), none));
        Assert.Equal(sentence[3..], model.Generate(sentence[..3], 8, temperature: 0.3, new Random(1), none));
        Assert.Equal(sentence[3..10], model.Generate(sentence[..3], 100, temperature: 0, new Random(1), new HashSet<int> { 2 }));
        Assert.Equal(32 - 3, model.Generate(sentence[..3], 100, temperature: 1, new Random(1), none).Count);
    }

    [Fact]
    public void Temperature_draws_with_the_softmax_frequencies()
    {
        float[] logits = [1f, 2f, -50f, 0f];
        var random = new Random(5);
        var counts = new int[4];
        for (var i = 0; i < 20000; i++)
        {
            counts[Sampling.Choose(logits, 0.5, random)]++;
        }

        var total = Math.Exp(2) + Math.Exp(4) + 1;
        Assert.Equal(Math.Exp(2) / total, counts[0] / 20000.0, 0.01);
        Assert.Equal(Math.Exp(4) / total, counts[1] / 20000.0, 0.01);
        Assert.Equal(0, counts[2]);
        Assert.Equal(1, Sampling.Choose(logits, 0, random));
    }

    [Fact]
    public void A_long_vocabulary_is_scored_in_chunks_with_the_same_result()
    {
        // 200,000 rows of output allow 96 rows of logits at a time; 150 labelled rows need two chunks.
        var config = RandomModel.Odd with { VocabSize = 200_000, HiddenSize = 12, IntermediateSize = 8, Layers = 1, Heads = 2, KeyValueHeads = 1 };
        using var pool = new WorkerPool(2);
        using var model = RandomModel.Create(config, pool, 150, seed: 1);
        var random = new Random(2);
        var tokens = Enumerable.Range(0, 150).Select(_ => random.Next(200_000)).ToArray();
        var batch = new TrainingBatch(tokens, [.. tokens.Reverse()], [0]);
        var loss = model.LossAndGradients(batch, normaliser: 1);
        var whole = model.Parameters["output.weight"].Gradient.ToArray();
        Assert.Equal(150, loss.Tokens);

        model.Parameters.ClearGradients();
        var halves = new[] { 0, 1 }.Select(half => new TrainingBatch(tokens, [.. batch.Labels.Select((l, t) => t / 75 == half ? l : TrainingBatch.Ignored)], [0])).ToArray();
        var sum = halves.Aggregate(default(LossSum), (s, b) => s + model.LossAndGradients(b, normaliser: 1));
        Assert.Equal(loss.Sum, sum.Sum, 1e-3);
        Close.Vectors(model.Parameters["output.weight"].Gradient, whole, 1e-6, "output gradient");
    }

    [Fact]
    public void The_benchmark_reports_consistent_figures()
    {
        using var pool = new WorkerPool(2);
        var config = RandomModel.Odd with { ContextLength = 24 };
        var figures = new TrainingBenchmark(pool).Run("tiny", config, sequences: 3, steps: 5);
        Assert.Equal((72, 5, 2), (figures.TokensPerStep, figures.Steps, figures.Threads));
        Assert.True(figures.BestStepMs <= figures.MedianStepMs && figures.PeakRssMiB > 1 && double.IsFinite(figures.LastLoss));
        Assert.Equal(72 / figures.MedianStepMs * 1e3, figures.TokensPerSecond, 1e-6);

        // 2 + 4 operations per weight and token of the blocks and the head, and per visible pair of tokens twice the width of a block.
        var batch = new TrainingBatch(new int[10], [.. Enumerable.Repeat(1, 8), -100, -100], [0, 4]);
        var blocks = 2.0 * ((60 * 36) + (36 * 36) + (3 * 52 * 36));
        Assert.Equal(6 * ((10 * blocks) + (8 * 67 * 36) + (2 * 2 * 36 * (10 + 21))), StepCost.Flops(RandomModel.Odd, null, batch));

        // Frozen weights take no gradient of their own: 4 operations instead of 6; adapters take 6.
        var adapters = 3.0 * 2 * (60 + 36 + 72 + (3 * (52 + 36)));
        Assert.Equal((10 * ((4 * blocks) + (6 * adapters))) + (4 * 8 * 67 * 36) + (6 * 2 * 2 * 36 * (10 + 21)), StepCost.Flops(RandomModel.Odd, new LoraOptions(Rank: 3), batch));
        var preferences = new TrainingBenchmark(pool).Run("tiny", config, sequences: 3, steps: 2, new TuningOptions(new LoraOptions(Rank: 3)), preferences: true);
        Assert.Equal(144, preferences.TokensPerStep);
    }
}
