using PsyLite.Models.Gguf;
using PsyLite.Models.HuggingFace;
using PsyLite.Models.Safetensors;
using PsyLite.Training;

namespace PsyLite.Commands.ModelFiles;

/// <summary>One tensor of a report.</summary>
internal sealed record TensorReport(string Name, string Type, IReadOnlyList<long> Shape, long Bytes);

/// <summary>What a model file or folder holds, the same for every format.</summary>
/// <param name="Kind">gguf, huggingface, safetensors, lora or checkpoint.</param>
/// <param name="Types">Bytes by storage type.</param>
/// <param name="Metadata">Settings as the file names them; long arrays by their length.</param>
internal sealed record ModelReport(
    string Path, string Kind, string Architecture, long Parameters, long Bytes, IReadOnlyDictionary<string, long> Types, string? Template,
    IReadOnlyDictionary<string, object> Metadata, IReadOnlyList<TensorReport> Tensors)
{
    /// <exception cref="FileNotFoundException">There is nothing.</exception>
    /// <exception cref="InvalidDataException">It is of no known format, or damaged.</exception>
    public static ModelReport Of(string path)
    {
        if (Directory.Exists(path))
        {
            return PeftAdapter.IsAdapter(path) ? OfAdapter(path) : OfFolder(path);
        }

        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: there is no such model file or folder.", path);
        }

        return Begins(path, "GGUF"u8) ? OfGguf(path)
            : Begins(path, "PSYCKPT1"u8) ? OfCheckpoint(path)
            : path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) ? OfSafetensors(path)
            : throw new InvalidDataException($"{path}: neither GGUF nor safetensors nor a checkpoint of psylite train.");
    }

    private static bool Begins(string path, ReadOnlySpan<byte> magic)
    {
        using var file = File.OpenRead(path);
        Span<byte> bytes = stackalloc byte[magic.Length];
        return file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length && bytes.SequenceEqual(magic);
    }

    private static ModelReport Make(string path, string kind, string architecture, string? template, IReadOnlyDictionary<string, object> metadata, IEnumerable<TensorReport> tensors)
    {
        var all = tensors.ToList();
        return new ModelReport(
            path, kind, architecture, all.Sum(t => t.Shape.Aggregate(1L, (a, b) => a * b)), all.Sum(t => t.Bytes),
            all.GroupBy(t => t.Type).ToDictionary(g => g.Key, g => g.Sum(t => t.Bytes)), template, metadata, all);
    }

    private static ModelReport OfGguf(string path)
    {
        using var file = GgufReader.Open(path);
        var template = file.Metadata.Get("tokenizer.chat_template", "");
        return Make(
            path, "gguf", file.Metadata.Get("general.architecture", "?"), template.Length > 0 ? template : null,
            file.Metadata.Where(p => p.Key != "tokenizer.chat_template").ToDictionary(p => p.Key, p => p.Value is Array { Length: > 16 } array ? $"[{array.Length}]" : p.Value),
            file.Tensors.Select(t => new TensorReport(t.Name, t.Type.ToString(), t.Shape, t.ByteCount)));
    }

    private static IEnumerable<TensorReport> TensorsOf(SafetensorsReader file) =>
        file.Tensors.Select(t => new TensorReport(t.Name, t.Type.ToString(), t.Shape, t.ByteCount));

    private static ModelReport OfSafetensors(string path)
    {
        using var file = SafetensorsReader.Open(path);
        return Make(path, "safetensors", "?", null, file.Metadata.ToDictionary(p => p.Key, p => (object)p.Value), TensorsOf(file));
    }

    private static ModelReport OfAdapter(string path)
    {
        using var adapter = PeftAdapter.Open(path);
        using var file = SafetensorsReader.Open(System.IO.Path.Combine(path, PeftAdapter.WeightsFile));
        var config = adapter.Config;
        return Make(
            path, "lora", config.BaseModel ?? "?", null,
            new Dictionary<string, object> { ["r"] = config.Rank, ["lora_alpha"] = config.Alpha, ["lora_dropout"] = config.Dropout, ["use_rslora"] = config.RankStabilised, ["target_modules"] = string.Join(" ", config.TargetModules) },
            TensorsOf(file));
    }

    private static ModelReport OfFolder(string path)
    {
        using var folder = HuggingFaceFolder.Open(path);
        var (config, tokenizer) = (folder.Config, folder.ReadTokenizer());
        var metadata = new Dictionary<string, object>
        {
            ["vocab_size"] = config.Model.VocabSize,
            ["hidden_size"] = config.Model.HiddenSize,
            ["intermediate_size"] = config.Model.IntermediateSize,
            ["num_hidden_layers"] = config.Model.Layers,
            ["num_attention_heads"] = config.Model.Heads,
            ["num_key_value_heads"] = config.Model.KeyValueHeads,
            ["max_position_embeddings"] = config.Model.ContextLength,
            ["rope_theta"] = config.Model.RopeBase,
            ["rms_norm_eps"] = config.Model.RmsNormEpsilon,
            ["added_tokens"] = string.Join(" ", tokenizer.Added.Select(t => $"{t.Key}:{t.Value.Text}")),
        };
        if (config.RopeScaling is { } scaling)
        {
            metadata["rope_scaling"] = $"{scaling.Type} {scaling.Factor}";
        }

        return Make(path, "huggingface", "internlm2", tokenizer.ChatTemplate, metadata, TensorsOf(folder.Weights));
    }

    private static ModelReport OfCheckpoint(string path)
    {
        var (steps, tensors) = Checkpoint.Describe(path);
        return Make(
            path, "checkpoint", "internlm2", null, new Dictionary<string, object> { ["steps"] = steps },
            tensors.Select(t => new TensorReport(t.Name, "F32", t.Rows == 1 ? [t.Columns] : [t.Rows, t.Columns], (long)t.Rows * t.Columns * sizeof(float))));
    }
}
