using PsyLite.Models;
using PsyLite.Training;
using PsyLite.Training.Kernels;
using PsyLite.Training.Losses;
using PsyLite.Training.Optim;

namespace PsyLite.Tests.Training;

/// <summary>Full, LoRA and QLoRA training with both losses against an independent PyTorch script, Golden/tuning_golden.py.</summary>
public sealed class TuningGoldenTests
{
    private const double Tolerance = 1e-4;
    private static readonly GoldenFile Golden = new("tuning_golden.safetensors");
    private static readonly ModelConfig Config = new(VocabSize: 50, HiddenSize: 64, IntermediateSize: 64, Layers: 2, Heads: 4, KeyValueHeads: 2, ContextLength: 64);
    private static readonly LoraOptions Lora = new(Rank: 4, Alpha: 16, Dropout: 0, Output: true);

    public static TheoryData<string, bool> Modes => new() { { "full", false }, { "full", true }, { "lora", false }, { "lora", true }, { "qlora", false }, { "qlora", true } };

    [Theory]
    [MemberData(nameof(Modes))]
    public void Losses_and_every_gradient_agree(string mode, bool recompute)
    {
        using var pool = new WorkerPool(2);
        using var model = Load(mode, pool, recompute);
        foreach (var loss in new[] { "sft", "orpo" })
        {
            model.Trainable.ClearGradients();
            Agree(Golden.Floats($"{mode}.{loss}.loss")[0], loss == "sft" ? model.LossAndGradients(Sft()).Mean : Orpo(model, new OrpoOptions(Beta: 0.2f)).Loss);
            GradientsAgree(model, $"{mode}.{loss}");
        }
    }

    [Theory]
    [InlineData("full")]
    [InlineData("lora")]
    [InlineData("qlora")]
    public void Twenty_steps_agree(string mode)
    {
        var schedule = new CosineSchedule(Peak: 5e-3, WarmupSteps: 3, TotalSteps: 20, StartFactor: 1e-5);
        foreach (var loss in new[] { "sft", "orpo" })
        {
            using var pool = new WorkerPool(2);
            using var model = Load(mode, pool);
            using var optimiser = new AdamW(model.Trainable, pool, new AdamWOptions());
            foreach (var (step, expected) in Golden.Floats($"{mode}.{loss}.trajectory").Index())
            {
                model.Trainable.ClearGradients();
                Agree(expected, loss == "sft" ? model.LossAndGradients(Sft()).Mean : Orpo(model, new OrpoOptions(Beta: 0.2f)).Loss);
                optimiser.Step(schedule.At(step), clipNorm: 1.0);
            }
        }
    }

    [Theory]
    [InlineData(OrpoNll.Xtuner, "xtuner")]
    [InlineData(OrpoNll.Trl, "trl")]
    [InlineData(OrpoNll.Paper, "paper")]
    public void The_three_likelihoods_of_ORPO_and_its_metrics_agree(OrpoNll nll, string name)
    {
        using var pool = new WorkerPool(2);
        using var model = Load("lora", pool);
        var options = new OrpoOptions(Beta: 0.2f, nll);
        var sum = Orpo(model, options);
        var report = PreferenceReport.From(sum, options);
        double[] metrics = [sum.Loss, report.ChosenRewards, report.RejectedRewards, report.RewardAccuracy, report.RewardMargin, report.LogOddsRatio, report.LogOddsChosen, report.NllLoss];
        Assert.All(Golden.Floats("metrics." + name).Zip(metrics), pair => Agree(pair.First, pair.Second));
        GradientsAgree(model, name);
    }

    [Fact]
    public void NF4_codes_and_doubly_quantised_scales_equal_the_reference()
    {
        var values = Golden.Floats("nf4.values");
        using var matrix = new Nf4Matrix(192, 128);
        matrix.Encode((start, part) => values.AsSpan((int)start, part.Length).CopyTo(part));
        var codes = new int[values.Length];
        for (var i = 0; i < codes.Length; i++)
        {
            codes[i] = i % 2 == 0 ? matrix.Codes[i / 2] >> 4 : matrix.Codes[i / 2] & 15;
        }

        Assert.Equal(Golden.Integers("nf4.codes"), codes);
        Assert.Equal(Golden.Integers("nf4.scale_codes"), matrix.ScaleCodes.ToArray().Select(c => (int)c));
        Assert.Equal(Golden.Floats("nf4.group_scales"), matrix.GroupScales.ToArray());
        Assert.Equal(Golden.Floats("nf4.mean")[0], matrix.ScaleMean);
        var decoded = new float[values.Length];
        for (var row = 0; row < 192; row++)
        {
            matrix.Decode(row, 0, decoded.AsSpan(row * 128, 128));
        }

        Assert.Equal(Golden.Floats("nf4.decoded"), decoded);
    }

    private static void Agree(double expected, double actual) =>
        Assert.InRange(actual, expected - (Tolerance * Math.Abs(expected)), expected + (Tolerance * Math.Abs(expected)));

    private static void GradientsAgree(Transformer model, string name)
    {
        foreach (var parameter in model.Trainable.All)
        {
            Close.Vectors(parameter.Gradient, Golden.Floats($"{name}.grad.{parameter.Name}"), Tolerance, parameter.Name);
        }
    }

    private static Transformer Load(string mode, WorkerPool pool, bool recompute = false)
    {
        var tuning = new TuningOptions(mode == "full" ? null : Lora, mode == "qlora" ? Quantisation.Nf4 : Quantisation.None, recompute);
        var model = new Transformer(Config, pool, 64, tuning);
        foreach (var parameter in model.Parameters.All.Concat(model.Adapters?.All ?? []))
        {
            parameter.Load(TensorSource.From(Golden.Floats(parameter.Name), parameter.IsVector ? [parameter.Columns] : [parameter.Rows, parameter.Columns]));
        }

        return model;
    }

    private static List<(int[] Tokens, int Reply)> Conversations()
    {
        var (tokens, lengths, replies) = (Golden.Integers("tokens"), Golden.Integers("lengths"), Golden.Integers("replies"));
        return [.. lengths.Select((length, i) => (tokens.AsSpan(lengths.Take(i).Sum(), length).ToArray(), replies[i]))];
    }

    /// <summary>All four conversations as samples with loss on their replies.</summary>
    private static TrainingBatch Sft() => new PreferenceBatch(Conversations(), promptLabels: false).Row;

    private static OrpoSum Orpo(Transformer model, OrpoOptions options)
    {
        var batch = new PreferenceBatch(Conversations(), promptLabels: options.Nll == OrpoNll.Trl);
        var loss = new OrpoLoss(options);
        var (logProbabilities, weights) = (new float[batch.Row.Length], new float[batch.Row.Length]);
        model.LogProbabilities(batch.Row, logProbabilities);
        var sum = loss.Score(batch, logProbabilities, loss.Count(batch), weights);
        model.AddGradients(weights);
        return sum;
    }
}
