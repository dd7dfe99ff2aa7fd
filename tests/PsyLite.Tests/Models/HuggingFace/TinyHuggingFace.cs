using System.Text.Json.Nodes;
using PsyLite.Models;
using PsyLite.Models.HuggingFace;
using PsyLite.Models.Safetensors;
using PsyLite.Models.Text;

namespace PsyLite.Tests.Models.HuggingFace;

/// <summary>
/// A folder of 30,000 weights that is the same on every machine: sharded, bf16, with stretched positions, added tokens and settings of
/// generation. Golden/internlm2_converted.json says what llama.cpp's converters make of it; to make that file again, let
/// <c>PSYLITE_TINY_HF=DIR</c> name a folder, run the tests of HuggingFaceGgufTests, and see Golden/internlm2_converted.py.
/// </summary>
internal static class TinyHuggingFace
{
    public const string Name = "tiny-12k-chat";

    public static SentencePieceModel Vocabulary { get; } = ChatTemplateTests.ByteModel();

    public static ModelConfig Config { get; } = new(Vocabulary.VocabSize, HiddenSize: 36, IntermediateSize: 40, Layers: 2, Heads: 6, KeyValueHeads: 2, ContextLength: 128, RmsNormEpsilon: 1e-6f);

    public static string Create(string parent)
    {
        var folder = Path.Combine(parent, Name);
        var tensors = InternLm2GgufTests.Tensors(Config, Value);
        HuggingFaceWriter.Write(folder, Config, Vocabulary, tensors, SafetensorsType.BF16);
        var writer = new SafetensorsWriter();
        foreach (var (name, source) in tensors)
        {
            writer.Add(name, SafetensorsType.BF16, source);
        }

        writer.WriteFolder(folder, shardBytes: 40_000);
        Edit(folder, "config.json", root => root["rope_scaling"] = new JsonObject { ["type"] = "linear", ["factor"] = 2.0 });
        Edit(folder, "generation_config.json", root =>
        {
            (root["temperature"], root["top_p"], root["top_k"], root["repetition_penalty"], root["do_sample"]) = (0.7, 0.8, 40, 1.02, true);
        });
        return folder;
    }

    /// <summary>An adapter of rank 3 on three kinds of layers of that model.</summary>
    public static string CreateAdapter(string parent, string name = "tiny-lora", double alpha = 6, int seed = 100)
    {
        var folder = Path.Combine(parent, name);
        var (c, modules) = (Config, new List<LoraModule>());
        foreach (var (module, rows, columns) in new[]
        {
            ("model.layers.0.attention.wqkv", c.QkvSize, c.HiddenSize), ("model.layers.1.attention.wo", c.HiddenSize, c.HiddenSize), ("model.layers.1.feed_forward.w2", c.HiddenSize, c.IntermediateSize),
        })
        {
            var tensor = seed + modules.Count;
            modules.Add(new LoraModule(module, Matrix(tensor, 3, columns), Matrix(tensor + 50, rows, 3), alpha / 3));
        }

        PeftAdapter.Write(folder, new PeftConfig(3, alpha, 0.1, ["w2", "wo", "wqkv"], Name), modules);
        return folder;
    }

    public static void Edit(string folder, string file, Action<JsonObject> change)
    {
        var root = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!.AsObject();
        change(root);
        File.WriteAllText(Path.Combine(folder, file), root.ToJsonString());
    }

    private static TensorSource Matrix(int tensor, int rows, int columns) =>
        TensorSource.From(Enumerable.Range(0, rows * columns).Select(i => Value(tensor, i)).ToArray(), rows, columns);

    /// <summary>Between -0.25 and 0.25, by a multiplicative hash.</summary>
    private static float Value(int tensor, int index) => (((uint)((tensor * 7919) + index) * 2654435761u) >> 16) / 131072f - 0.25f;
}
