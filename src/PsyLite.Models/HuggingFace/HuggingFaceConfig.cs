using System.Text.Json;

namespace PsyLite.Models.HuggingFace;

/// <summary>How a model's rotary positions are stretched beyond its training length (<c>rope_scaling</c>).</summary>
/// <param name="Type">linear, dynamic or yarn.</param>
/// <param name="Factor">By how much.</param>
public sealed record RopeScaling(string Type, double Factor);

/// <summary>What <c>config.json</c> of an InternLM2 model says.</summary>
public sealed record HuggingFaceConfig
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "config.json";

    /// <summary>The architecture that is read here.</summary>
    public const string Architecture = "InternLM2ForCausalLM";

    private const int MaxBytes = 16 << 20;

    /// <summary>The kinds of tokens that a configuration may name, in the order in which llama.cpp's converter looks for them.</summary>
    internal static readonly string[] TokenKinds = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

    /// <summary>Shape of the decoder.</summary>
    public required ModelConfig Model { get; init; }

    /// <summary>Stretching of positions, or null. "dynamic" works beyond the training length only and has no counterpart in GGUF.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Ids by kind: bos, eos, pad…, where the file names a single one.</summary>
    public IReadOnlyDictionary<string, int> TokenIds { get; init; } = new Dictionary<string, int>();

    /// <summary>Where the model came from, by its own account, or null.</summary>
    public string? NameOrPath { get; init; }

    /// <summary>torch_dtype, or null.</summary>
    public string? StoredType { get; init; }

    /// <summary>Reads the file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The model is of another architecture, or a size is missing or impossible.</exception>
    public static HuggingFaceConfig Read(string path) => JsonFile.Read(path, MaxBytes, "the configuration of an InternLM2 model", Read);

    private static HuggingFaceConfig Read(JsonElement root)
    {
        var architecture = root.Optional("architectures")?.EnumerateArray().FirstOrDefault().GetString() ?? root.Text("model_type") ?? "";
        if (architecture is not (Architecture or "internlm2"))
        {
            throw new InvalidDataException($"the model is of architecture {ErrorText.Quote(architecture)}; only InternLM2 models (InternLM2, InternLM2.5) are read.");
        }

        if (root.IsTrue("bias") || root.IsTrue("tie_word_embeddings"))
        {
            throw new InvalidDataException("the model has biases or ties its output to its embeddings, which InternLM2.5 does not; it cannot be read.");
        }

        var heads = root.GetProperty("num_attention_heads").GetInt32();
        return new HuggingFaceConfig
        {
            Model = new ModelConfig(
                root.GetProperty("vocab_size").GetInt32(), root.GetProperty("hidden_size").GetInt32(), root.GetProperty("intermediate_size").GetInt32(),
                root.GetProperty("num_hidden_layers").GetInt32(), heads, root.Optional("num_key_value_heads")?.GetInt32() ?? heads,
                root.GetProperty("max_position_embeddings").GetInt32(), root.Optional("rope_theta")?.GetSingle() ?? 10_000f, root.Optional("rms_norm_eps")?.GetSingle() ?? 1e-6f).Validated(),
            RopeScaling = Scaling(root),
            TokenIds = TokenKinds
                .Select(kind => (Kind: kind, Id: root.Optional(kind + "_token_id")))
                .Where(t => t.Id is { ValueKind: JsonValueKind.Number } && t.Id.Value.TryGetInt32(out var id) && id >= 0)
                .ToDictionary(t => t.Kind, t => t.Id!.Value.GetInt32(), StringComparer.Ordinal),
            NameOrPath = root.Text("_name_or_path"),
            StoredType = root.Text("torch_dtype") ?? root.Text("dtype"),
        };
    }

    private static RopeScaling? Scaling(JsonElement root)
    {
        if (root.Optional("rope_scaling") is not { } scaling)
        {
            return null;
        }

        var type = scaling.Text("rope_type") ?? scaling.Text("type") ?? "";
        var factor = scaling.Optional("factor")?.GetDouble() ?? 1;
        return type is "linear" or "dynamic" && factor is > 0 and < 1e6
            ? new RopeScaling(type, factor)
            : throw new InvalidDataException($"the model stretches its positions by rope_scaling {ErrorText.Quote(type)}; InternLM2 knows linear and dynamic.");
    }
}
