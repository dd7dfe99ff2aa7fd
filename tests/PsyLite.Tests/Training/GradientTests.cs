using PsyLite.Models;
using PsyLite.Training;
using PsyLite.Training.Kernels;

namespace PsyLite.Tests.Training;

/// <summary>Hand-written gradients against finite differences of the double-precision reference, and the invariants of packing and accumulation.</summary>
public sealed class GradientTests
{
    private const double Difference = 1e-5;

    public static TheoryData<int, int, int, int, int, int[]> Shapes => new()
    {
        { 67, 36, 52, 6, 2, new[] { 9, 1, 5 } },
        { 33, 16, 24, 4, 4, new[] { 7 } },
        { 40, 24, 17, 2, 1, new[] { 2, 11 } },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gradients_equal_finite_differences(int vocabulary, int hidden, int intermediate, int heads, int keyValueHeads, int[] segments)
    {
        using var pool = new WorkerPool(2);
        var config = new ModelConfig(vocabulary, hidden, intermediate, Layers: 2, heads, keyValueHeads, ContextLength: 32);
        using var model = RandomModel.Create(config, pool, segments.Sum(), seed: 5);
        var batch = RandomModel.Batch(config, segments, seed: 6, weighted: true);
        var loss = model.LossAndGradients(batch, normaliser: 1);
        var weights = model.Parameters.All.ToDictionary(p => p.Name, p => p.Values.ToArray().Select(v => (double)v).ToArray());
        var reference = new ReferenceDecoder(config, weights);
        Assert.Equal(reference.Loss(batch), loss.Sum, 1e-3);

        var random = new Random(7);
        foreach (var parameter in model.Parameters.All)
        {
            var largest = parameter.Gradient.ToArray().Max(MathF.Abs);
            Assert.True(largest > 1e-3, $"{parameter.Name} has no gradient to speak of");
            for (var sample = 0; sample < 4; sample++)
            {
                var index = random.Next(parameter.Count);
                var expected = Slope(reference, batch, weights[parameter.Name], index);
                Assert.True(Math.Abs(parameter.Gradient[index] - expected) <= 2e-5 * largest, $"{parameter.Name}[{index}]: {parameter.Gradient[index]} instead of {expected}");
            }
        }
    }

    [Fact]
    public void Packed_segments_equal_separate_rows_in_any_order_and_grouping()
    {
        using var pool = new WorkerPool(2);
        var config = RandomModel.Odd;
        using var model = RandomModel.Create(config, pool, 60, seed: 1);
        var rows = new[] { 13, 30, 1, 9, 7 }.Select((n, i) => RandomModel.Batch(config, [n], seed: 20 + i, weighted: true)).ToArray();
        var total = rows.Sum(r => r.TotalWeight);
        var whole = Accumulate(model, total, Pack(rows));
        foreach (var grouping in new TrainingBatch[][] { rows, [.. rows.Reverse()], [Pack(rows[3], rows[0]), Pack(rows[4], rows[2], rows[1])], [rows[1], Pack(rows[0], rows[2], rows[3], rows[4])] })
        {
            var other = Accumulate(model, total, grouping);
            Assert.Equal(whole.Loss.Mean, other.Loss.Mean, 1e-5);
            Assert.Equal(whole.Loss.Tokens, other.Loss.Tokens);
            Close.Vectors(other.Gradients, whole.Gradients, 2e-6, "regrouped gradient");
        }
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        var config = new ModelConfig(VocabSize: 130, HiddenSize: 64, IntermediateSize: 104, Layers: 2, Heads: 4, KeyValueHeads: 2, ContextLength: 256);
        var batch = RandomModel.Batch(config, [150, 20, 101], seed: 3);
        var results = new[] { 1, 2, 3 }.Select(threads =>
        {
            using var pool = new WorkerPool(threads);
            using var model = RandomModel.Create(config, pool, batch.Length, seed: 2);
            return (Loss: model.LossAndGradients(batch), Gradients: RandomModel.Gradients(model));
        }).ToArray();
        Assert.All(results, r => Assert.Equal(results[0].Loss, r.Loss));
        Assert.All(results, r => Assert.Equal(results[0].Gradients, r.Gradients));
    }

    [Fact]
    public void Gradients_through_log_probabilities_equal_those_of_the_loss()
    {
        using var pool = new WorkerPool(2);
        using var model = RandomModel.Create(RandomModel.Odd, pool, 40, seed: 8);
        var batch = RandomModel.Batch(RandomModel.Odd, [25, 15], seed: 9, weighted: true);
        var loss = model.LossAndGradients(batch, normaliser: 1);
        var expected = RandomModel.Gradients(model);

        var scores = new float[batch.Length];
        model.Parameters.ClearGradients();
        model.LogProbabilities(batch, scores);
        Assert.Equal(loss.Sum, -scores.Select((s, t) => (double)s * batch.WeightOf(t)).Sum(), 1e-3);
        Assert.All(scores.Where((_, t) => batch.Labels[t] == TrainingBatch.Ignored), s => Assert.Equal(0f, s));
        model.AddGradients([.. Enumerable.Range(0, batch.Length).Select(batch.WeightOf)]);
        Close.Vectors(RandomModel.Gradients(model), expected, 1e-6, "gradient");
        Assert.Throws<InvalidOperationException>(() => model.AddGradients(new float[batch.Length]));
    }

    [Fact]
    public void A_batch_without_labels_changes_nothing()
    {
        using var pool = new WorkerPool(1);
        using var model = RandomModel.Create(RandomModel.Odd, pool, 40, seed: 8);
        var labelled = RandomModel.Batch(RandomModel.Odd, [12], seed: 9);
        model.LossAndGradients(labelled);
        var before = RandomModel.Gradients(model);
        var silent = new TrainingBatch(labelled.Tokens, [.. labelled.Tokens.Select(_ => TrainingBatch.Ignored)], [0]);
        Assert.Equal(default, model.LossAndGradients(silent));
        Assert.Equal(before, RandomModel.Gradients(model));
    }

    [Fact]
    public void Wrong_batches_are_refused_with_the_numbers()
    {
        using var pool = new WorkerPool(1);
        using var model = new Transformer(RandomModel.Odd, pool, 8);
        Assert.Contains("9 tokens", Assert.Throws<ArgumentException>(() => model.Loss(TrainingBatch.NextToken(new int[9]))).Message, StringComparison.Ordinal);
        Assert.Contains("67", Assert.Throws<ArgumentException>(() => model.Loss(TrainingBatch.NextToken([1, 67]))).Message, StringComparison.Ordinal);
        Assert.Contains("67", Assert.Throws<ArgumentException>(() => model.Loss(new TrainingBatch([1], [-1], [0]))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TrainingBatch([], [], [0]));
        Assert.Throws<ArgumentException>(() => new TrainingBatch([1, 2], [1], [0]));
        Assert.Throws<ArgumentException>(() => new TrainingBatch([1, 2], [1, 2], [1]));
        Assert.Throws<ArgumentException>(() => new TrainingBatch([1, 2, 3], [1, 2, 3], [0, 2, 2]));
        Assert.Throws<ArgumentException>(() => new TrainingBatch([1, 2], [1, 2], [0, 2]));
        Assert.Throws<ArgumentException>(() => new TrainingBatch([1, 2], [1, 2], [0], [1f]));
    }

    /// <summary>Five-point central difference: its own error is about 1e-10 here.</summary>
    private static double Slope(ReferenceDecoder reference, TrainingBatch batch, double[] weights, int index)
    {
        var kept = weights[index];
        double At(double shift)
        {
            weights[index] = kept + shift;
            var loss = reference.Loss(batch);
            weights[index] = kept;
            return loss;
        }

        return ((8 * (At(Difference) - At(-Difference))) - (At(2 * Difference) - At(-2 * Difference))) / (12 * Difference);
    }

    private static (LossSum Loss, float[] Gradients) Accumulate(Transformer model, double normaliser, params TrainingBatch[] batches)
    {
        model.Parameters.ClearGradients();
        var loss = batches.Aggregate(default(LossSum), (sum, batch) => sum + model.LossAndGradients(batch, normaliser));
        return (loss, RandomModel.Gradients(model));
    }

    private static TrainingBatch Pack(params TrainingBatch[] rows) => new(
        [.. rows.SelectMany(r => r.Tokens)], [.. rows.SelectMany(r => r.Labels)], [.. rows.Select((_, i) => rows.Take(i).Sum(r => r.Length))], [.. rows.SelectMany(r => r.Weights!)]);
}
