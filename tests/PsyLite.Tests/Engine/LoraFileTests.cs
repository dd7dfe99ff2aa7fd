using PsyLite.Engine;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.Safetensors;

namespace PsyLite.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class LoraFileTests(TinyModels models)
{
    [Fact]
    public void An_adapter_at_run_time_thinks_as_the_merged_weights_do()
    {
        var (merged, adapterFile) = (Path.Combine(models.Folder, "merged.gguf"), Path.Combine(models.Folder, "adapter.gguf"));
        using (var file = GgufReader.Open(models.Random))
        {
            var config = InternLm2Gguf.ReadConfig(file);
            using var adapter = PeftAdapter.Open(Adapter(config));
            LoraGguf.Write(adapterFile, config, adapter, GgmlType.F32);
            InternLm2Gguf.Write(merged, config, TinyModels.Vocabulary, new LoraMerge([adapter]).Apply(InternLm2Gguf.ReadTensors(file)), GgmlType.F32, new ModelCard("merged"));
        }

        using var plain = LlamaModel.Load(TinyModels.Options(models.Random));
        using var expected = LlamaModel.Load(TinyModels.Options(merged));
        using var adapted = LlamaModel.Load(TinyModels.Options(models.Random) with { Adapters = [new LoraFile(adapterFile)] });
        using var off = LlamaModel.Load(TinyModels.Options(models.Random) with { Adapters = [new LoraFile(adapterFile, 0)] });
        var tokens = plain.Tokenize("今天很好的心情，我们很愉快。");
        var (before, after, added, without) = (Last(plain, tokens), Last(expected, tokens), Last(adapted, tokens), Last(off, tokens));
        Assert.True(Distance(before, after) > 0.05, $"the adapter changes little: {Distance(before, after)}");
        Assert.InRange(Distance(after, added), 0, 1e-4);
        Assert.InRange(Distance(before, without), 0, 1e-6);
    }

    [Fact]
    public void What_is_no_adapter_of_this_model_is_refused()
    {
        Assert.Contains("is no LoRA adapter", Assert.Throws<LlamaException>(() => Load(models.Wide)).Message);
        Assert.Equal(LlamaError.FileMissing, Assert.Throws<LlamaException>(() => Load("/nowhere/a.gguf")).Kind);

        var other = Path.Combine(models.Folder, "other-adapter.gguf");
        using (var file = GgufReader.Open(models.Random))
        {
            using var adapter = PeftAdapter.Open(Adapter(InternLm2Gguf.ReadConfig(file)));
            LoraGguf.Write(other, InternLm2Gguf.ReadConfig(file), adapter, GgmlType.F32);
        }

        var message = Assert.Throws<LlamaException>(() => LlamaModel.Load(TinyModels.Options(models.Wide) with { Adapters = [new LoraFile(other)] })).Message;
        Assert.Contains("trained on this model", message);
        Assert.DoesNotContain('\n', message);
        void Load(string path) => LlamaModel.Load(TinyModels.Options(models.Random) with { Adapters = [new LoraFile(path)] });
    }

    /// <summary>Rank 4 on every kind of layer that llama.cpp adapts.</summary>
    private string Adapter(ModelConfig c)
    {
        var random = new Random(3);
        TensorSource Matrix(int rows, int columns) => TensorSource.From(Enumerable.Range(0, rows * columns).Select(_ => (float)(random.NextDouble() - 0.5) * 0.2f).ToArray(), rows, columns);
        var modules = new (string Name, int Rows, int Columns)[]
        {
            ("model.layers.0.attention.wqkv", c.QkvSize, c.HiddenSize), ("model.layers.0.attention.wo", c.HiddenSize, c.HiddenSize),
            ("model.layers.1.feed_forward.w1", c.IntermediateSize, c.HiddenSize), ("model.layers.1.feed_forward.w3", c.IntermediateSize, c.HiddenSize),
            ("model.layers.1.feed_forward.w2", c.HiddenSize, c.IntermediateSize), ("output", c.VocabSize, c.HiddenSize),
        };
        var folder = Path.Combine(models.Folder, "peft");
        PeftAdapter.Write(folder, new PeftConfig(4, 8, 0, []), modules.Select(m => new LoraModule(m.Name, Matrix(4, m.Columns), Matrix(m.Rows, 4), 2)));
        return folder;
    }

    private static float[] Last(LlamaModel model, int[] tokens) => LlamaLogits.Compute(model, tokens)[^1];

    /// <summary>Length of the difference by the length of the first.</summary>
    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b).Sum(p => Math.Pow(p.First - p.Second, 2)) / a.Sum(v => (double)v * v));
}
