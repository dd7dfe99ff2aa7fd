using PsyLite.Engine;
using PsyLite.Engine.Measuring;
using PsyLite.Models;
using PsyLite.Models.Gguf;

namespace PsyLite.Tests.Engine.Measuring;

[Collection(EngineCollection.Name)]
public sealed class RandomInternLm2Tests(TinyModels models)
{
    /// <summary>Enough layers for every rule of the mixes to apply to some and not to others; grouped queries of 4 as in the 7B.</summary>
    private static readonly ModelConfig Deep = new(TinyModels.Vocabulary.VocabSize + 40, 256, 256, 17, 4, 1, 256);

    [Theory]
    [InlineData(QuantizedType.Q4_0)]
    [InlineData(QuantizedType.Q8_0)]
    [InlineData(QuantizedType.Q2_K)]
    [InlineData(QuantizedType.Q3_K_M)]
    [InlineData(QuantizedType.Q4_K_S)]
    [InlineData(QuantizedType.Q4_K_M)]
    [InlineData(QuantizedType.Q5_K_M)]
    [InlineData(QuantizedType.Q6_K)]
    [InlineData(QuantizedType.F16)]
    [InlineData(QuantizedType.BF16)]
    public void Every_tensor_has_the_type_that_llama_cpp_gives_it(QuantizedType type)
    {
        var floats = Path.Combine(models.Folder, "deep.f32.gguf");
        if (!File.Exists(floats))
        {
            RandomInternLm2.Write(floats, Deep, TinyModels.Vocabulary, QuantizedType.F32, 1);
        }

        var theirs = Path.Combine(models.Folder, $"deep.theirs.{type}.gguf");
        var ours = Path.Combine(models.Folder, $"deep.ours.{type}.gguf");
        LlamaQuantizer.Quantize(floats, theirs, type);
        RandomInternLm2.Write(ours, Deep, TinyModels.Vocabulary, type, 1);
        Assert.Equal(Types(theirs), Types(ours));
        using var file = GgufReader.Open(ours);
        Assert.Equal((int)type, file.Metadata.Get<int>("general.file_type"));
        Assert.InRange(new FileInfo(ours).Length, RandomInternLm2.TensorBytes(Deep, type), RandomInternLm2.TensorBytes(Deep, type) + 100_000);
    }

    [Fact]
    public void The_model_computes_finite_numbers_and_every_added_token_is_visible()
    {
        var path = Path.Combine(models.Folder, "deep.run.gguf");
        RandomInternLm2.Write(path, Deep, TinyModels.Vocabulary, QuantizedType.Q4_K_M, 2);
        using var model = LlamaModel.Load(TinyModels.Options(path));
        var logits = LlamaLogits.Compute(model, model.Tokenize("你好，我们今天很愉快。"))[^1];
        Assert.All(logits, value => Assert.InRange(value, -30, 30));
        Assert.Equal(logits.Length, logits.Distinct().Count());
        Assert.DoesNotContain(model.Tokenize("000123 the text of a filler"), token => token >= TinyModels.Vocabulary.VocabSize);
    }

    [Fact]
    public void A_seed_decides_the_file()
    {
        string Make(string name, int seed)
        {
            var path = Path.Combine(models.Folder, name);
            RandomInternLm2.Write(path, Deep, TinyModels.Vocabulary, QuantizedType.Q8_0, seed);
            return Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));
        }

        Assert.Equal(Make("seed-a.gguf", 3), Make("seed-b.gguf", 3));
        Assert.NotEqual(Make("seed-a.gguf", 3), Make("seed-c.gguf", 4));
    }

    [Fact]
    public void Stopping_leaves_nothing_behind()
    {
        using var stop = new CancellationTokenSource();
        var path = Path.Combine(models.Folder, "stopped.gguf");
        Assert.Throws<OperationCanceledException>(() => RandomInternLm2.Write(path, Deep, TinyModels.Vocabulary, QuantizedType.Q8_0, 1, _ => stop.Cancel(), stop.Token));
        Assert.Empty(Directory.GetFiles(models.Folder, "stopped*"));
    }

    private static SortedDictionary<string, GgmlType> Types(string path)
    {
        using var file = GgufReader.Open(path);
        return new(file.Tensors.ToDictionary(t => t.Name, t => t.Type), StringComparer.Ordinal);
    }
}
