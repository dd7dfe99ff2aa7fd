using System.Text.Json;

namespace PsyLite.Models.Safetensors;

/// <summary>The settings of a LoRA adapter that change what it computes, as in <c>adapter_config.json</c> of PEFT.</summary>
/// <param name="Rank">r of the adapter.</param>
/// <param name="Alpha">lora_alpha; the product of the two matrices is scaled by alpha / r.</param>
/// <param name="Dropout">lora_dropout, of training only.</param>
/// <param name="TargetModules">Last parts of the names of the layers it changes, such as wqkv; empty when the file gives a pattern instead.</param>
/// <param name="BaseModel">base_model_name_or_path, or null.</param>
/// <param name="RankStabilised">use_rslora: the scale is alpha / sqrt(r).</param>
public sealed record PeftConfig(int Rank, double Alpha, double Dropout, IReadOnlyList<string> TargetModules, string? BaseModel = null, bool RankStabilised = false)
{
    private const int MaxFileBytes = 16 << 20;
    private const int MaxRank = 1 << 16;

    /// <summary>alpha_pattern: other values of alpha by the end of a layer's name.</summary>
    internal IReadOnlyDictionary<string, double> AlphaPattern { get; init; } = new Dictionary<string, double>();

    /// <summary>The factor of B A for a layer.</summary>
    /// <param name="module">Name of the layer.</param>
    /// <param name="rank">Rows of its A, which rank_pattern may have set.</param>
    internal double ScaleOf(string module, int rank)
    {
        var alpha = AlphaPattern.FirstOrDefault(p => module == p.Key || module.EndsWith("." + p.Key, StringComparison.Ordinal)) is { Key: not null } own ? own.Value : Alpha;
        return alpha / (RankStabilised ? Math.Sqrt(rank) : rank);
    }

    internal static PeftConfig Read(string path) => JsonFile.Read(path, MaxFileBytes, "the configuration of a LoRA adapter that PEFT, XTuner or LLaMA-Factory saved", Read);

    internal void Write(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("peft_type", "LORA");
        json.WriteString("task_type", "CAUSAL_LM");
        json.WriteString("base_model_name_or_path", BaseModel);
        json.WriteBoolean("inference_mode", true);
        json.WriteNumber("r", Rank);
        json.WriteNumber("lora_alpha", Alpha);
        json.WriteNumber("lora_dropout", Dropout);
        json.WriteString("bias", "none");
        json.WriteBoolean("fan_in_fan_out", false);
        json.WriteBoolean("use_dora", false);
        json.WriteBoolean("use_rslora", RankStabilised);
        json.WriteStartArray("target_modules");
        foreach (var module in TargetModules)
        {
            json.WriteStringValue(module);
        }

        json.WriteEndArray();
        json.WriteNull("modules_to_save");
        json.WriteEndObject();
    }

    private static PeftConfig Read(JsonElement root)
    {
        if (root.Text("peft_type") is { } type && type != "LORA")
        {
            throw new InvalidDataException($"the adapter is of type {ErrorText.Quote(type)}; only LORA can be merged.");
        }

        foreach (var unsupported in new[] { "use_dora", "fan_in_fan_out" })
        {
            if (root.IsTrue(unsupported))
            {
                throw new InvalidDataException($"the adapter has {unsupported} set, which is not supported; merge it with PEFT first.");
            }
        }

        if (root.Text("bias") is { } bias && bias != "none")
        {
            throw new InvalidDataException($"the adapter trained biases ({ErrorText.Quote(bias)}), which InternLM2 does not have.");
        }

        var rank = root.GetProperty("r").GetInt32();
        var alpha = root.GetProperty("lora_alpha").GetDouble();
        var dropout = root.Optional("lora_dropout")?.GetDouble() ?? 0;
        if (rank is <= 0 or > MaxRank || !double.IsFinite(alpha) || dropout is not (>= 0 and < 1))
        {
            throw new InvalidDataException($"r {rank}, lora_alpha {alpha} or lora_dropout {dropout} is out of range.");
        }

        string[] targets = root.TryGetProperty("target_modules", out var modules) && modules.ValueKind == JsonValueKind.Array
            ? [.. modules.EnumerateArray().Select(m => m.GetString() ?? "").Order(StringComparer.Ordinal)]
            : [];
        return new PeftConfig(rank, alpha, dropout, targets, root.Text("base_model_name_or_path"), root.IsTrue("use_rslora"))
        {
            AlphaPattern = root.TryGetProperty("alpha_pattern", out var pattern) && pattern.ValueKind == JsonValueKind.Object
                ? pattern.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetDouble(), StringComparer.Ordinal)
                : [],
        };
    }
}
