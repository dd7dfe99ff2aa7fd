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

    [Theory]
    [InlineData(QuantizedType.Q4_0)]
    [InlineData(QuantizedType.Q5_1)]
    [InlineData(QuantizedType.Q2_K)]
    [InlineData(QuantizedType.Q3_K_L)]
    [InlineData(QuantizedType.IQ4_XS)]
    [InlineData(QuantizedType.IQ3_S)]
    [InlineData(QuantizedType.TQ2_0)]
    [InlineData(QuantizedType.BF16)]
    public void Every_kind_of_type_is_loaded_again(QuantizedType type)
    {
        var target = Path.Combine(models.Folder, $"wide.{type}.gguf");
        var seen = new List<(int Done, int All)>();
        LlamaQuantizer.Quantize(models.Wide, target, type, new QuantizeOptions { Threads = 1 }, (done, all) => seen.Add((done, all)));
        Assert.Equal(Enumerable.Range(1, seen[0].All), seen.Select(s => s.Done));
        using var model = LlamaModel.Load(TinyModels.Options(target));
        Assert.All(LlamaLogits.Compute(model, model.Tokenize("今天很好"))[^1], v => Assert.True(float.IsFinite(v)));
        using var file = GgufReader.Open(target);
        Assert.Equal((int)type, file.Metadata.Get<int>("general.file_type"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Few_bits_need_an_importance_matrix_and_name_it(bool isGguf)
    {
        var target = Path.Combine(models.Folder, $"wide.iq2.{isGguf}.gguf");
        Assert.Contains("--imatrix", Assert.Throws<LlamaException>(() => LlamaQuantizer.Quantize(models.Wide, target, QuantizedType.IQ2_XXS)).Message);
        var path = Path.Combine(models.Folder, $"imatrix.{isGguf}");
        using (var source = GgufReader.Open(models.Wide))
        {
            ImportanceFiles.Write(path, isGguf, source.Tensors.Where(t => t.Shape.Count == 2).ToDictionary(t => t.Name, t => Enumerable.Range(1, (int)t.Shape[1]).Select(i => 1f + (i % 7)).ToArray()));
        }

        var importance = ImportanceMatrix.Read(path);
        Assert.Equal(("text.txt", 3, 3f), (importance.Dataset, importance.Chunks, importance.Entries["output.weight"][1]));
        LlamaQuantizer.Quantize(models.Wide, target, QuantizedType.IQ2_XXS, new QuantizeOptions { Importance = importance });
        using var file = GgufReader.Open(target);
        Assert.Equal((path, "text.txt"), (file.Metadata.Get<string>("quantize.imatrix.file"), file.Metadata.Get<string>("quantize.imatrix.dataset")));
        Assert.Equal((importance.Entries.Count, 3), (file.Metadata.Get<int>("quantize.imatrix.entries_count"), file.Metadata.Get<int>("quantize.imatrix.chunks_count")));
    }

    [Fact]
    public void A_source_quantised_already_or_the_target_itself_is_refused()
    {
        var small = Path.Combine(models.Folder, "small.q4_0.gguf");
        LlamaQuantizer.Quantize(models.Wide, small, QuantizedType.Q4_0);
        var again = Path.Combine(models.Folder, "again.gguf");
        Assert.Contains("--allow-requantize", Assert.Throws<LlamaException>(() => LlamaQuantizer.Quantize(small, again, QuantizedType.Q4_K_M)).Message);
        LlamaQuantizer.Quantize(small, again, QuantizedType.Q8_0, new QuantizeOptions { AllowRequantize = true, Pure = true });
        Assert.Contains("the source itself", Assert.Throws<LlamaException>(() => LlamaQuantizer.Quantize(again, again, QuantizedType.Q8_0)).Message);
    }
}
