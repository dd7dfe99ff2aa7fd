using System.Text.Json;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;

namespace PsyLite.Tests.Models;

public sealed class InternLm2GgufTests : IDisposable
{
    private static readonly SentencePieceModel Vocabulary = ChatTemplateTests.ByteModel();
    private static readonly ModelConfig Config = new(Vocabulary.VocabSize, HiddenSize: 36, IntermediateSize: 40, Layers: 2, Heads: 6, KeyValueHeads: 2, ContextLength: 128);

    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("psylite-internlm2").FullName, "model.gguf");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Fact]
    public void Queries_keys_and_values_are_split_as_llama_cpp_converts_them()
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Models/Golden/internlm2_qkv.json")));
        Assert.Equal(Config.HiddenSize, golden.RootElement.GetProperty("hiddenSize").GetInt32());
        var tensors = Tensors(Config, (_, index) => index);
        InternLm2Gguf.Write(_path, Config, Vocabulary, tensors, GgmlType.F32, new ModelCard("test"));

        using var file = GgufReader.Open(_path);
        foreach (var expected in golden.RootElement.GetProperty("rowsOfWqkv").EnumerateObject())
        {
            var tensor = file.Tensor($"blk.1.{expected.Name}.weight");
            var values = new float[tensor.Count];
            file.ReadFloats(tensor, 0, values);
            var rows = expected.Value.EnumerateArray().Select(r => r.GetInt32()).ToArray();
            Assert.Equal([rows.Length, Config.HiddenSize], tensor.Shape);
            Assert.Equal(rows.SelectMany(r => Enumerable.Range(0, Config.HiddenSize).Select(c => (float)((r * Config.HiddenSize) + c))), values);
        }
    }

    [Theory]
    [InlineData(GgmlType.F32)]
    [InlineData(GgmlType.F16)]
    public void A_model_comes_back_as_it_was_written(GgmlType type)
    {
        var tensors = Tensors(Config, (tensor, index) => (float)(Half)MathF.Sin((tensor * 1000) + index));
        InternLm2Gguf.Write(_path, Config, Vocabulary, tensors, type, new ModelCard("test", "A test.", "apache-2.0"));

        using var file = GgufReader.Open(_path);
        Assert.Equal(Config, InternLm2Gguf.ReadConfig(file));
        Assert.Equal("apache-2.0", file.Metadata.Get<string>("general.license"));
        Assert.Equal(ChatTemplate.Jinja, file.Metadata.Get<string>("tokenizer.chat_template"));
        Assert.Equal(Vocabulary.IdOf("<|im_end|>"), file.Metadata.Get<int>("tokenizer.ggml.eos_token_id"));
        Assert.Equal(Vocabulary.IdOf("<|im_end|>"), file.Metadata.Get<int>("tokenizer.ggml.eot_token_id"));
        Assert.Equal(3 + (9 * Config.Layers), file.Tensors.Count);
        Assert.All(file.Tensors, t => Assert.Equal(t.Shape.Count == 1 ? GgmlType.F32 : type, t.Type));

        var read = InternLm2Gguf.ReadTensors(file);
        Assert.Equal(tensors.Keys.Order(), read.Keys.Order());
        foreach (var (name, source) in tensors)
        {
            Assert.Equal(source.Shape, read[name].Shape);
            Assert.Equal(All(source), All(read[name]));
        }
    }

    [Fact]
    public void The_vocabulary_comes_back_and_encodes_the_same()
    {
        InternLm2Gguf.Write(_path, Config, Vocabulary, Tensors(Config, (_, _) => 0), GgmlType.F16, new ModelCard("test"));
        using var file = GgufReader.Open(_path);
        var read = InternLm2Gguf.ReadVocabulary(file);
        Assert.Equal(Vocabulary.Pieces, read.Pieces);
        var (before, after) = (new SentencePieceTokenizer(Vocabulary), new SentencePieceTokenizer(read));
        Assert.All(VariedText.Lines(200, seed: 6), line => Assert.Equal(before.Encode(line, allowSpecial: true), after.Encode(line, allowSpecial: true)));
    }

    [Fact]
    public void What_does_not_fit_together_is_refused()
    {
        var tensors = Tensors(Config, (_, _) => 0);
        AssertRefused("does not suit", () => InternLm2Gguf.Write(_path, Config with { VocabSize = 300 }, Vocabulary, tensors, GgmlType.F16, new ModelCard("x")));
        AssertRefused("lacks the tensor 'output.weight'", () => InternLm2Gguf.Write(_path, Config, Vocabulary, Without(tensors, "output.weight"), GgmlType.F16, new ModelCard("x")));
        AssertRefused("has the shape [40, 36]", () => InternLm2Gguf.Write(_path, Config with { IntermediateSize = 48 }, Vocabulary, tensors, GgmlType.F16, new ModelCard("x")));
        Assert.False(File.Exists(_path));

        new GgufWriter().Set("general.architecture", "llama").Write(_path);
        using var file = GgufReader.Open(_path);
        AssertRefused("architecture 'llama'", () => InternLm2Gguf.ReadConfig(file));
        AssertRefused("not a SentencePiece one", () => InternLm2Gguf.ReadVocabulary(file));
    }

    [Fact]
    public void The_NUL_piece_and_placeholders_are_written_as_llama_cpp_can_hold_them()
    {
        var model = new SentencePieceModel(
            [new("<unk>", 0, PieceType.Unknown), new("\0", -1, PieceType.Normal), new("[UNUSED_TOKEN_1]", 0, PieceType.UserDefined), new("……", 0, PieceType.UserDefined)],
            new SentencePieceSettings()).WithControlPieces(new Dictionary<int, string> { [2] = "<|im_end|>" });
        var (tokens, scores, types) = model.ToGgufArrays();
        Assert.Equal(["<unk>", "🐉", "<|im_end|>", "……"], tokens);
        Assert.Equal([0f, -1, -1000, 0], scores);
        Assert.Equal([2, 1, 3, 4], types);
        Assert.Throws<ArgumentException>(() => model.WithControlPieces(new Dictionary<int, string> { [4] = "x" }));
        Assert.Throws<InvalidDataException>(() => model.WithControlPieces(new Dictionary<int, string> { [1] = "<|im_end|>" }));
    }

    internal static Dictionary<string, TensorSource> Tensors(ModelConfig c, Func<int, int, float> value)
    {
        var tensors = new Dictionary<string, TensorSource>();
        Add("model.tok_embeddings.weight", c.VocabSize, c.HiddenSize);
        for (var layer = 0; layer < c.Layers; layer++)
        {
            Add($"model.layers.{layer}.attention.wqkv.weight", c.QkvSize, c.HiddenSize);
            Add($"model.layers.{layer}.attention.wo.weight", c.HiddenSize, c.HiddenSize);
            Add($"model.layers.{layer}.feed_forward.w1.weight", c.IntermediateSize, c.HiddenSize);
            Add($"model.layers.{layer}.feed_forward.w3.weight", c.IntermediateSize, c.HiddenSize);
            Add($"model.layers.{layer}.feed_forward.w2.weight", c.HiddenSize, c.IntermediateSize);
            Add($"model.layers.{layer}.attention_norm.weight", c.HiddenSize);
            Add($"model.layers.{layer}.ffn_norm.weight", c.HiddenSize);
        }

        Add("model.norm.weight", c.HiddenSize);
        Add("output.weight", c.VocabSize, c.HiddenSize);
        return tensors;

        void Add(string name, params long[] shape)
        {
            var tensor = tensors.Count;
            var count = (int)shape.Aggregate((a, b) => a * b);
            tensors.Add(name, TensorSource.From(Enumerable.Range(0, count).Select(i => value(tensor, i)).ToArray(), shape));
        }
    }

    private static float[] All(TensorSource source)
    {
        var values = new float[source.Count];
        source.Read(0, values);
        return values;
    }

    private static Dictionary<string, TensorSource> Without(Dictionary<string, TensorSource> tensors, string name) =>
        tensors.Where(t => t.Key != name).ToDictionary();

    private static void AssertRefused(string message, Action action) => Assert.Contains(message, Assert.Throws<InvalidDataException>(action).Message);
}
