using System.Text.Json;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.HuggingFace;
using PsyLite.Models.Safetensors;
using PsyLite.Models.Text;
using PsyLite.Training;
using PsyLite.Training.Kernels;
using PsyLite.Training.Optim;
using PsyLite.Training.Running;

namespace PsyLite.Tests.Training.Running;

/// <summary>Adapters of an earlier stage in the weights that a run begins with.</summary>
public sealed class StartingModelTests : IDisposable
{
    private readonly TinyRecipe _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Theory]
    [InlineData("base")]
    [InlineData("base.gguf")]
    [InlineData("base.ckpt")]
    public async Task Adapters_merged_into_a_quantised_start_are_those_that_model_merge_writes(string start)
    {
        var options = _tiny.Options("run", pairs: false, "quantisation=nf4");
        using var weights = new ParameterSet(options.Model);
        weights.Initialise(5);
        WriteBase(options, weights);
        var whole = Values(weights["output.weight"].Count, 40);
        string[] adapters = [WriteAdapter("first", options.Model, 1, whole: null), WriteAdapter("second", options.Model, 2, whole)];
        var (code, _, error) = await PsyliteProcess.RunAsync(
            ["model", "merge", "--base", _tiny.Data("base"), "--adapter", adapters[0], "--adapter", adapters[1], "--type", "f32", "--out", _tiny.Data("merged")]);
        Assert.True(code == 0, error);

        using var pool = new WorkerPool(1);
        using var merging = StartingModel.Load(_tiny.Options("run", pairs: false, "quantisation=nf4", $"startFrom={_tiny.Data(start)}", $"mergeAdapters={JsonSerializer.Serialize(adapters)}"), pool);
        using var merged = StartingModel.Load(_tiny.Options("run", pairs: false, "quantisation=nf4", $"startFrom={_tiny.Data("merged")}"), pool);
        using var untouched = StartingModel.Load(_tiny.Options("run", pairs: false, "quantisation=nf4", $"startFrom={_tiny.Data("base")}"), pool);
        var changed = new List<string>();
        foreach (var parameter in merged.Parameters.All)
        {
            Assert.Equal(All(parameter.Source), All(merging.Parameters[parameter.Name].Source));
            if (!All(parameter.Source).AsSpan().SequenceEqual(All(untouched.Parameters[parameter.Name].Source)))
            {
                changed.Add(parameter.Name);
            }
        }

        Assert.Equal(["model.layers.0.feed_forward.w1.weight", "model.layers.1.attention.wqkv.weight", "output.weight"], changed.Order(StringComparer.Ordinal));

        // The output is kept in bfloat16, whose rounding is at most one part in 256.
        Assert.All(whole.Zip(All(merging.Parameters["output.weight"].Source)), pair => Assert.InRange(pair.Second, pair.First - 1e-4f, pair.First + 1e-4f));
    }

    [Fact]
    public void An_adapter_of_another_model_is_one_line()
    {
        var options = _tiny.Options("run", pairs: false);
        using var weights = new ParameterSet(options.Model);
        weights.Initialise(5);
        WriteBase(options, weights);
        var wider = WriteAdapter("wider", options.Model with { IntermediateSize = 128 }, 1, whole: null);
        using var pool = new WorkerPool(1);
        var fault = Assert.Throws<InvalidDataException>(() =>
            StartingModel.Load(_tiny.Options("run", pairs: false, $"startFrom={_tiny.Data("base")}", $"mergeAdapters={JsonSerializer.Serialize(new[] { wider })}"), pool));
        Assert.Contains(wider, fault.Message);
        Assert.DoesNotContain('\n', fault.Message);
    }

    /// <summary>The same weights as a folder, a GGUF file and a checkpoint.</summary>
    private void WriteBase(RecipeOptions options, ParameterSet weights)
    {
        var tensors = weights.All.ToDictionary(p => p.Name, p => p.Source);
        var vocabulary = SentencePieceModel.Load(options.Tokenizer);
        HuggingFaceWriter.Write(_tiny.Data("base"), options.Model, vocabulary, tensors, SafetensorsType.F32);
        InternLm2Gguf.Write(_tiny.Data("base.gguf"), options.Model, vocabulary, tensors, GgmlType.F32, new ModelCard("base"));
        using var pool = new WorkerPool(1);
        using var optimiser = new AdamW(weights, pool, new AdamWOptions());
        Checkpoint.Save(_tiny.Data("base.ckpt"), weights, optimiser, []);
    }

    private string WriteAdapter(string name, ModelConfig model, int seed, float[]? whole)
    {
        TensorSource Matrix(int rows, int columns, int at) => TensorSource.From(Values(rows * columns, at), rows, columns);
        LoraModule[] modules =
        [
            new("model.layers.0.feed_forward.w1", Matrix(4, model.HiddenSize, seed), Matrix(model.IntermediateSize, 4, seed + 10), 2),
            new("model.layers.1.attention.wqkv", Matrix(4, model.HiddenSize, seed + 20), Matrix(model.QkvSize, 4, seed + 30), 2),
        ];
        PeftAdapter.Write(_tiny.Data(name), new PeftConfig(4, 8, 0, ["w1", "wqkv"]), modules);
        if (whole is not null)
        {
            var writer = new SafetensorsWriter().Add("base_model.model.output.modules_to_save.default.weight", SafetensorsType.F32, TensorSource.From(whole, model.VocabSize, model.HiddenSize));
            foreach (var module in modules)
            {
                writer.Add($"base_model.model.{module.Module}.lora_A.weight", SafetensorsType.F32, module.A).Add($"base_model.model.{module.Module}.lora_B.weight", SafetensorsType.F32, module.B);
            }

            writer.WriteFile(Path.Combine(_tiny.Data(name), PeftAdapter.WeightsFile));
        }

        return _tiny.Data(name);
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) * 0.04f)];
    }

    private static float[] All(TensorSource source)
    {
        var values = new float[source.Count];
        source.Read(0, values);
        return values;
    }
}
