using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.HuggingFace;
using PsyLite.Models.Safetensors;
using PsyLite.Models.Text;

namespace PsyLite.Tests.Models.HuggingFace;

public sealed class HuggingFaceGgufTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-hf").FullName;
    private readonly string _model;
    private readonly string _gguf;

    public HuggingFaceGgufTests()
    {
        (_model, _gguf) = (TinyHuggingFace.Create(_folder), Path.Combine(_folder, "out.gguf"));
        if (Environment.GetEnvironmentVariable("PSYLITE_TINY_HF") is { Length: > 0 } kept)
        {
            TinyHuggingFace.Create(kept);
            TinyHuggingFace.CreateAdapter(kept);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("f16", GgmlType.F16)]
    [InlineData("bf16", GgmlType.BF16)]
    [InlineData("f32", GgmlType.F32)]
    public void The_file_is_that_of_llama_cpps_converter(string name, GgmlType type)
    {
        Convert(type);
        AssertGolden(name, _gguf);
    }

    [Fact]
    public void The_adapter_holds_what_llama_cpps_converter_gives_it()
    {
        using (var adapter = PeftAdapter.Open(TinyHuggingFace.CreateAdapter(_folder)))
        {
            LoraGguf.Write(_gguf, TinyHuggingFace.Config, adapter, GgmlType.F32);
        }

        AssertGolden("lora", _gguf);
    }

    [Fact]
    public void What_a_trainer_saves_and_what_comes_through_a_folder_hold_the_same_weights()
    {
        var direct = Path.Combine(_folder, "direct.gguf");
        var tensors = InternLm2GgufTests.Tensors(TinyHuggingFace.Config, (tensor, i) => MathF.Sin((tensor * 100) + i));
        InternLm2Gguf.Write(direct, TinyHuggingFace.Config, TinyHuggingFace.Vocabulary, tensors, GgmlType.F32, new ModelCard("x"));
        var folder = Path.Combine(_folder, "other");
        HuggingFaceWriter.Write(folder, TinyHuggingFace.Config, TinyHuggingFace.Vocabulary, tensors, SafetensorsType.F32);
        using (var model = HuggingFaceFolder.Open(folder))
        {
            Assert.Equal(TinyHuggingFace.Config, model.Config.Model);
            Assert.Equal(TinyHuggingFace.Vocabulary.Pieces, model.ReadTokenizer().Model.Pieces);
            Assert.Equal(TinyHuggingFace.Vocabulary.Settings, model.ReadTokenizer().Model.Settings);
            Assert.Equal(ChatTemplate.Jinja, model.ReadTokenizer().ChatTemplate);
            HuggingFaceGguf.Convert(model, model.Weights.Sources(), _gguf, GgmlType.F32);
        }

        using var left = GgufReader.Open(direct);
        using var right = GgufReader.Open(_gguf);
        Assert.Equal(left.Tensors.Select(t => t.Name).Order(), right.Tensors.Select(t => t.Name).Order());
        Assert.All(left.Tensors, t => Assert.Equal(Bytes(left, t), Bytes(right, right.Tensor(t.Name))));
        Assert.Equal(InternLm2Gguf.ReadVocabulary(left).UnknownId, InternLm2Gguf.ReadVocabulary(right).UnknownId);
    }

    [Fact]
    public void Added_tokens_are_found_wherever_a_tokenizer_was_saved()
    {
        var last = TinyHuggingFace.Vocabulary.VocabSize - 1;
        TinyHuggingFace.Edit(_model, "tokenizer_config.json", root => root["added_tokens_decoder"]!.AsObject().Remove("260"));
        File.WriteAllText(Path.Combine(_model, "added_tokens.json"), $$"""{"<|plugin|>":{{last}}}""");
        File.WriteAllText(Path.Combine(_model, "tokenizer.json"), $$"""{"added_tokens":[{"id":{{last - 1}},"content":"<fold>","special":false}]}""");
        using var model = HuggingFaceFolder.Open(_model);
        var tokenizer = model.ReadTokenizer();
        Assert.Equal((PieceType.Control, PieceType.UserDefined), (tokenizer.Model.Pieces[last].Type, tokenizer.Model.Pieces[last - 1].Type));
        Assert.Equal(("<|plugin|>", "<fold>"), (tokenizer.Model.Pieces[last].Text, tokenizer.Model.Pieces[last - 1].Text));

        TinyHuggingFace.Edit(_model, "tokenizer.json", root => root["added_tokens"]![0]!["id"] = last + 5);
        Assert.Contains("resize its embeddings", Assert.Throws<InvalidDataException>(model.ReadTokenizer).Message);
    }

    [Fact]
    public void Rows_without_a_piece_are_filled_up()
    {
        var tokenizer = HuggingFaceTokenizer.Read(_model, TinyHuggingFace.Vocabulary.VocabSize + 3);
        Assert.Equal(TinyHuggingFace.Vocabulary.VocabSize + 3, tokenizer.Model.VocabSize);
        Assert.Equal(PieceType.Unused, tokenizer.Model.Pieces[^1].Type);
    }

    [Theory]
    [InlineData("architectures", "[\"LlamaForCausalLM\"]", "only InternLM2")]
    [InlineData("bias", "true", "has biases")]
    [InlineData("num_attention_heads", "7", "do not divide")]
    [InlineData("hidden_size", "\"36\"", "not the configuration")]
    [InlineData("rope_scaling", "{\"type\":\"longrope\"}", "rope_scaling 'longrope'")]
    [InlineData("vocab_size", "99999999999", "not the configuration")]
    public void Configurations_that_cannot_be_converted_are_refused(string key, string json, string message)
    {
        TinyHuggingFace.Edit(_model, "config.json", root => root[key] = JsonNode.Parse(json));
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => HuggingFaceFolder.Open(_model)).Message);
    }

    [Fact]
    public void What_is_missing_is_named()
    {
        TinyHuggingFace.Edit(_model, "config.json", root => root["num_hidden_layers"] = 3);
        Assert.Contains("'model.layers.2.attention.wqkv.weight'", Assert.Throws<InvalidDataException>(() => Convert(GgmlType.F16)).Message);
        Assert.False(File.Exists(_gguf));
        File.Delete(Path.Combine(_model, "model.safetensors.index.json"));
        Assert.Contains("safe_serialization", Assert.Throws<FileNotFoundException>(() => HuggingFaceFolder.Open(_model)).Message);
    }

    [Theory]
    [InlineData("internlm2_5-7b-chat", 7_737_708_544, "Internlm2_5 7b Chat||internlm2_5|chat||7B")]
    [InlineData("psylite", 6_300_000, "Psylite|||||6.3M")]
    [InlineData("my_model-v1.5-120m-lora", 119_000_000, "My_Model v1.5 120m Lora||my_model-v1.5|lora||120M")]
    [InlineData("tiny-32k", 12_000, "Tiny 32k||tiny|32k||12K")]
    public void Names_are_read_as_llama_cpps_converter_reads_them(string folder, long parameters, string expected)
    {
        var config = new HuggingFaceConfig { Model = TinyHuggingFace.Config };
        var name = ModelName.Of(config, folder, parameters);
        Assert.Equal(expected, $"{name.Name}|{name.Organization}|{name.Basename}|{name.Finetune}|{name.Version}|{name.SizeLabel}");
    }

    private static byte[] Bytes(GgufReader file, GgufTensor tensor)
    {
        var bytes = new byte[tensor.ByteCount];
        file.ReadBytes(tensor, 0, bytes);
        return bytes;
    }

    private static void AssertGolden(string name, string path)
    {
        using var golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Models/Golden/internlm2_converted.json")));
        var expected = golden.RootElement.GetProperty(name);
        using (var file = GgufReader.Open(path))
        {
            Assert.Equal(expected.GetProperty("keys").EnumerateArray().Select(k => k.GetString()).Order(), file.Metadata.Select(p => p.Key).Order());
            var tensors = expected.GetProperty("tensors").EnumerateObject().ToDictionary(t => t.Name, t => t.Value.GetString());
            Assert.Equal(tensors.OrderBy(t => t.Key), file.Tensors.ToDictionary(t => t.Name, t => (string?)System.Convert.ToHexStringLower(SHA256.HashData(Bytes(file, t)))).OrderBy(t => t.Key));
        }

        if (expected.TryGetProperty("file", out var whole))
        {
            Assert.Equal(whole.GetString(), System.Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
        }
    }

    private void Convert(GgmlType type)
    {
        using var model = HuggingFaceFolder.Open(_model);
        HuggingFaceGguf.Convert(model, model.Weights.Sources(), _gguf, type);
    }
}
