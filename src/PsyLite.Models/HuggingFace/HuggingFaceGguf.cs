using System.Text.Json;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;

namespace PsyLite.Models.HuggingFace;

/// <summary>A HuggingFace folder as GGUF, with the bytes that llama.cpp's own converter writes.</summary>
/// <remarks>
/// Source: convert_hf_to_gguf.py, conversion/base.py and conversion/internlm.py of llama.cpp v0.5.0. Of the descriptive keys those of the
/// model card (README.md: licence, tags, languages, base models) are not taken over.
/// </remarks>
public static class HuggingFaceGguf
{
    private const string Prefix = InternLm2Gguf.Architecture + ".";
    private const int MaxJsonBytes = 1 << 20;

    private static readonly Dictionary<string, string> TokenKeys = new()
    {
        ["bos"] = "bos",
        ["eos"] = "eos",
        ["unk"] = "unknown",
        ["sep"] = "seperator", // GGUF's own spelling.
        ["pad"] = "padding",
        ["mask"] = "mask",
    };

    private static readonly (string Key, string[] Names, bool IsInteger)[] SamplingKeys =
    [
        ("top_k", ["top_k"], true),
        ("top_p", ["top_p"], false),
        ("min_p", ["min_p"], false),
        ("temp", ["temperature"], false),
        ("penalty_last_n", ["penalty_last_n"], true),
        ("penalty_repeat", ["penalty_repeat", "repetition_penalty"], false),
    ];

    /// <summary>Bytes of the tensors of such a file.</summary>
    public static long TensorBytes(ModelConfig config, GgmlType type) =>
        InternLm2Layout.GgufShapes(config).Sum(t => GgufWriter.BytesOf(t.Shape.Count == 1 ? GgmlType.F32 : type, t.Shape.Aggregate(1L, (product, size) => product * size)));

    /// <summary>Converts; a few megabytes of memory are needed, whatever the model's size.</summary>
    /// <param name="model">The opened folder: configuration, tokenizer, order of the tensors.</param>
    /// <param name="weights">Its tensors, or others of the same names and shapes.</param>
    /// <param name="path">Where; replaced only once the new file is complete.</param>
    /// <param name="type">F16, BF16 or F32 for the matrices; vectors are always F32.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, of the wrong shape or not finite, or the tokenizer does not fit.</exception>
    public static void Convert(HuggingFaceFolder model, IReadOnlyDictionary<string, TensorSource> weights, string path, GgmlType type)
    {
        var (config, tokenizer) = (model.Config, model.ReadTokenizer());
        var tensors = InternLm2Layout.ToGguf(config.Model, weights).ToList();
        var writer = new GgufWriter().Set("general.architecture", InternLm2Gguf.Architecture).Set("general.type", "model");
        SetSampling(writer, Path.Combine(model.FolderPath, "generation_config.json"));
        SetName(writer, ModelName.Of(config, new DirectoryInfo(model.FolderPath).Name, tensors.Sum(t => t.Source.Count)));
        SetShape(writer, config, type);
        SetTokenizer(writer, config, tokenizer);
        foreach (var (name, source) in InFileOrder(model, tensors))
        {
            writer.Add(name, source.Shape.Count == 1 ? GgmlType.F32 : type, source);
        }

        writer.Write(path);
    }

    /// <summary>The converter goes shard by shard and by name within each; wqkv becomes three tensors at its place.</summary>
    private static IEnumerable<(string Name, TensorSource Source)> InFileOrder(HuggingFaceFolder model, List<(string Name, TensorSource Source)> tensors)
    {
        var places = model.Weights.Tensors
            .OrderBy(t => t.FilePath, StringComparer.Ordinal).ThenBy(t => t.Name, StringComparer.Ordinal)
            .Select((tensor, place) => (tensor.Name, place)).ToDictionary(t => t.Name, t => t.place, StringComparer.Ordinal);
        return tensors.OrderBy(t => places[InternLm2Layout.HuggingFaceName(t.Name)]);
    }

    private static void SetSampling(GgufWriter writer, string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        JsonFile.Read(path, MaxJsonBytes, "a model's settings of generation", root =>
        {
            foreach (var (key, names, isInteger) in SamplingKeys)
            {
                if (names.Select(n => root.Optional(n)).FirstOrDefault(v => v is { ValueKind: JsonValueKind.Number }) is not { } value)
                {
                    continue;
                }

                _ = isInteger ? writer.Set("general.sampling." + key, value.GetInt32()) : writer.Set("general.sampling." + key, (float)value.GetDouble());
            }

            return true;
        });
    }

    private static void SetName(GgufWriter writer, ModelName name)
    {
        foreach (var (key, value) in new[]
        {
            ("name", name.Name), ("version", name.Version), ("organization", name.Organization), ("finetune", name.Finetune), ("basename", name.Basename), ("size_label", name.SizeLabel),
        })
        {
            if (value is not null)
            {
                writer.Set("general." + key, value);
            }
        }
    }

    private static void SetShape(GgufWriter writer, HuggingFaceConfig config, GgmlType type)
    {
        var model = config.Model;
        writer
            .Set(Prefix + "block_count", (uint)model.Layers)
            .Set(Prefix + "context_length", (uint)model.ContextLength)
            .Set(Prefix + "embedding_length", (uint)model.HiddenSize)
            .Set(Prefix + "feed_forward_length", (uint)model.IntermediateSize)
            .Set(Prefix + "attention.head_count", (uint)model.Heads)
            .Set(Prefix + "attention.head_count_kv", (uint)model.KeyValueHeads);
        if (config.RopeScaling is { Type: "linear" } scaling)
        {
            writer.Set(Prefix + "rope.scaling.type", scaling.Type).Set(Prefix + "rope.scaling.factor", (float)scaling.Factor);
        }

        writer
            .Set(Prefix + "rope.freq_base", model.RopeBase)
            .Set(Prefix + "attention.layer_norm_rms_epsilon", model.RmsNormEpsilon)
            .Set("general.file_type", InternLm2Gguf.FileTypeOf(type))
            .Set("general.quantization_version", InternLm2Gguf.QuantizationVersion);
    }

    private static void SetTokenizer(GgufWriter writer, HuggingFaceConfig config, HuggingFaceTokenizer tokenizer)
    {
        if (!tokenizer.Model.Settings.ByteFallback)
        {
            throw new InvalidDataException("the tokenizer has no byte fallback, which llama.cpp takes for granted.");
        }

        InternLm2Gguf.SetPieces(writer, tokenizer.ToGgufArrays(), tokenizer.Model.Settings.AddDummyPrefix);

        // A chat model ends its turns with <|im_end|>, so that is its end of sequence, too.
        var endOfTurn = tokenizer.Added.FirstOrDefault(t => t.Value.Text == ChatTemplate.EndPiece) is { Value.Text: not null } end ? end.Key : (int?)null;
        foreach (var (kind, id) in tokenizer.SpecialIds(config).Where(t => TokenKeys.ContainsKey(t.Kind)))
        {
            writer.Set($"tokenizer.ggml.{TokenKeys[kind]}_token_id", (uint)(kind == "eos" ? endOfTurn ?? id : id));
        }

        foreach (var (kind, isAdded) in tokenizer.AddedKinds().Where(k => k.Kind is "bos" or "eos" or "sep"))
        {
            writer.Set($"tokenizer.ggml.add_{kind}_token", isAdded);
        }

        if (tokenizer.ChatTemplate is { } template)
        {
            writer.Set("tokenizer.chat_template", template);
        }
    }
}
