using PsyLite.Models;
using PsyLite.Training;
using PsyLite.Training.Kernels;
using PsyLite.Training.Optim;

namespace PsyLite.Tests.Training;

/// <summary>The trainer against an independent PyTorch script, Golden/internlm2_golden.py.</summary>
public sealed class GoldenTests
{
    private const double Tolerance = 1e-4;
    private static readonly GoldenFile Golden = new("internlm2_golden.safetensors");
    private static readonly TrainingBatch Batch = new(Golden.Integers("tokens"), Golden.Integers("labels"), Golden.Integers("segment_starts"), Golden.Floats("token_weights"));

    [Fact]
    public void Loss_and_every_gradient_agree()
    {
        using var pool = new WorkerPool(2);
        using var model = Load(pool);
        var loss = model.LossAndGradients(Batch);
        Assert.Equal(Golden.Floats("loss")[0], loss.Mean, 1e-5);
        Assert.Equal(Batch.Labels.Count(l => l != TrainingBatch.Ignored), loss.Tokens);
        Assert.Equal(loss, model.Loss(Batch));
        foreach (var parameter in model.Parameters.All)
        {
            var expected = Golden.Floats("grad." + parameter.Name);
            Close.Vectors(parameter.Gradient, expected, Tolerance, parameter.Name);
            var largest = expected.Max(MathF.Abs);
            Assert.All(parameter.Gradient.ToArray().Zip(expected), pair => Assert.InRange(pair.First - pair.Second, -Tolerance * largest, Tolerance * largest));
        }
    }

    [Fact]
    public void Logits_of_each_segment_alone_agree_with_the_packed_row()
    {
        using var pool = new WorkerPool(2);
        using var model = Load(pool);
        var expected = Golden.Floats("logits");
        int[] bounds = [.. Batch.SegmentStarts, Batch.Length];
        foreach (var (start, end) in bounds.Zip(bounds.Skip(1)))
        {
            var logits = new float[(end - start) * model.Config.VocabSize];
            model.Logits(Batch.Tokens[start..end], logits);
            Close.Vectors(logits, expected.AsSpan(start * model.Config.VocabSize, logits.Length), Tolerance, $"segment at {start}");
        }
    }

    [Fact]
    public void Twenty_clipped_steps_of_AdamW_on_the_cosine_schedule_agree()
    {
        using var pool = new WorkerPool(2);
        using var model = Load(pool);
        using var optimiser = new AdamW(model.Parameters, pool, new AdamWOptions(WeightDecay: 0.1f));
        var schedule = new CosineSchedule(Peak: 1e-2, WarmupSteps: 3, TotalSteps: 20);
        var expected = Golden.Floats("trajectory");
        Assert.Equal(20, expected.Length);
        for (var step = 0; step < expected.Length; step++)
        {
            model.Parameters.ClearGradients();
            var loss = model.LossAndGradients(Batch).Mean;
            Assert.InRange(loss / expected[step], 1 - 2e-4, 1 + 2e-4);
            optimiser.Step(schedule.At(step), clipNorm: 1.0);
        }
    }

    private static Transformer Load(WorkerPool pool)
    {
        var model = new Transformer(RandomModel.Odd, pool, Batch.Length);
        foreach (var parameter in model.Parameters.All)
        {
            Golden.Floats(parameter.Name).CopyTo(parameter.Values);
        }

        return model;
    }
}
