using PsyLite.Engine;
using PsyLite.Models.Gguf;

namespace PsyLite.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class LlamaQuantizerTests(TinyModels models)
{
    [Fact]
    public void A_quantised_model_is_smaller_and_thinks_nearly_the_same()
    {
        var target = Path.Combine(models.Folder, "wide.q4.gguf");
        LlamaQuantizer.Quantize(models.Wide, target, QuantizedType.Q4_K_M);
        Assert.False(File.Exists(target + ".partial"));
        using (var file = GgufReader.Open(target))
        {
            Assert.Contains(file.Tensors, t => t.Type == GgmlType.Q4_K);
        }

        Assert.InRange(new FileInfo(target).Length, 1, new FileInfo(models.Wide).Length / 3);
        using var whole = LlamaModel.Load(TinyModels.Options(models.Wide));
        using var small = LlamaModel.Load(TinyModels.Options(target));
        var tokens = whole.Tokenize("今天很好的心情，我们很愉快。");
        var expected = LlamaLogits.Compute(whole, tokens)[^1];
        var quantised = LlamaLogits.Compute(small, tokens)[^1];
        var cosine = expected.Zip(quantised).Sum(p => (double)p.First * p.Second) / Math.Sqrt(expected.Sum(v => (double)v * v) * quantised.Sum(v => (double)v * v));
        Assert.InRange(cosine, 0.97, 1);
    }

    [Fact]
    public void A_source_that_cannot_be_read_leaves_no_target()
    {
        var source = Path.Combine(models.Folder, "no-model.gguf");
        File.WriteAllText(source, "no model");
        var target = Path.Combine(models.Folder, "never.gguf");
        Assert.Equal(LlamaError.NotGguf, Assert.Throws<LlamaException>(() => LlamaQuantizer.Quantize(source, target, QuantizedType.Q4_K_M)).Kind);
        var foreign = Path.Combine(models.Folder, "foreign-source.gguf");
        new GgufWriter().Set("general.architecture", "telepathy").Write(foreign);
        Assert.Equal(LlamaError.UnknownArchitecture, Assert.Throws<LlamaException>(() => LlamaQuantizer.Quantize(foreign, target, QuantizedType.Q4_K_M)).Kind);
        Assert.Empty(Directory.GetFiles(models.Folder, "never*"));
    }
}
