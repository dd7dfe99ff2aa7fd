using PsyLite.Training;
using PsyLite.Training.Kernels;
using PsyLite.Training.Optim;

namespace PsyLite.Tests.Training;

public sealed class OptimTests
{
    [Fact]
    public void The_schedule_rises_to_its_peak_and_falls_to_zero()
    {
        var schedule = new CosineSchedule(Peak: 2.0, WarmupSteps: 4, TotalSteps: 104);
        Assert.Equal([0.5, 1.0, 1.5, 2.0, 2.0], Enumerable.Range(0, 5).Select(schedule.At));
        Assert.Equal(1.0, schedule.At(54), 1e-12);
        Assert.Equal(0.0, schedule.At(104), 1e-12);
        Assert.Equal(0.0, schedule.At(500), 1e-12);
        Assert.Equal(2.0, new CosineSchedule(2.0, 0, 10).At(0));
        Assert.All(Enumerable.Range(4, 99), s => Assert.True(schedule.At(s + 1) < schedule.At(s)));
    }

    [Fact]
    public void Clipping_scales_to_the_norm_and_decay_spares_the_norm_vectors()
    {
        using var pool = new WorkerPool(2);
        using var parameters = new ParameterSet(RandomModel.Odd);
        parameters.Initialise(1);
        var values = parameters.All.ToDictionary(p => p.Name, p => p.Values.ToArray());
        using var optimiser = new AdamW(parameters, pool, new AdamWOptions(WeightDecay: 0.5f));
        foreach (var parameter in parameters.All)
        {
            parameter.Gradient.Fill(0.25f);
        }

        Assert.Equal(0.25 * Math.Sqrt(parameters.Count), optimiser.Step(0.01, clipNorm: 1.0), 1e-4);
        foreach (var parameter in parameters.All)
        {
            // The first step of Adam has size learning rate, whatever the clipped gradient.
            var keep = parameter.IsVector ? 1f : 1f - (0.01f * 0.5f);
            Assert.All(parameter.Values.ToArray().Zip(values[parameter.Name]), pair => Assert.Equal((pair.Second * keep) - 0.01f, pair.First, 1e-5f));
        }
    }

    [Fact]
    public void A_norm_that_is_not_finite_changes_nothing()
    {
        using var pool = new WorkerPool(1);
        using var parameters = new ParameterSet(RandomModel.Odd);
        parameters.Initialise(1);
        using var optimiser = new AdamW(parameters, pool, new AdamWOptions());
        parameters["output.weight"].Gradient[5] = float.NaN;
        var before = parameters["output.weight"].Values.ToArray();
        Assert.False(double.IsFinite(optimiser.Step(0.01)));
        Assert.Equal(0, optimiser.StepCount);
        Assert.Equal(before, parameters["output.weight"].Values.ToArray());
    }

    [Fact]
    public void Clearing_gradients_is_visible_at_once()
    {
        using var parameters = new ParameterSet(RandomModel.Odd);
        parameters["output.weight"].Gradient.Fill(1f);
        parameters.ClearGradients();
        Assert.All(parameters["output.weight"].Gradient.ToArray(), g => Assert.Equal(0f, g));
    }

    [Fact]
    public void Initial_weights_are_normal_with_scaled_residual_outputs_and_repeatable()
    {
        using var parameters = new ParameterSet(RandomModel.Odd with { HiddenSize = 96, IntermediateSize = 128, Layers = 4 });
        parameters.Initialise(3);
        double Deviation(string name) => Math.Sqrt(parameters[name].Values.ToArray().Average(v => (double)v * v));
        Assert.InRange(Deviation("model.layers.1.feed_forward.w1.weight"), 0.0195, 0.0205);
        Assert.InRange(Deviation("model.layers.1.feed_forward.w2.weight"), 0.0195 / Math.Sqrt(8), 0.0205 / Math.Sqrt(8));
        Assert.InRange(Deviation("model.layers.3.attention.wo.weight"), 0.0195 / Math.Sqrt(8), 0.0205 / Math.Sqrt(8));
        Assert.All(parameters["model.norm.weight"].Values.ToArray(), v => Assert.Equal(1f, v));
        var first = parameters["output.weight"].Values.ToArray();
        parameters.Initialise(3);
        Assert.Equal(first, parameters["output.weight"].Values.ToArray());
        Assert.Throws<KeyNotFoundException>(() => parameters["lm_head.weight"]);
        Assert.Equal(96 * 67, parameters["model.tok_embeddings.weight"].Count);
    }
}
