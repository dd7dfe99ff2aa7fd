using System.Text.Json;
using System.Text.Json.Nodes;
using PsyLite.Models.Safetensors;
using PsyLite.Models.Text;

namespace PsyLite.Models.HuggingFace;

/// <summary>Writes an InternLM2 model as a HuggingFace folder: configuration, safetensors, tokenizer.</summary>
public static class HuggingFaceWriter
{
    private const int MaxCopiedBytes = 256 << 20;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    // What belongs to the weights of the base, or to a training run, is left behind.
    private static readonly string[] LeftBehind = [".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".partial", SafetensorsReader.IndexFile, "pytorch_model.bin.index.json"];

    /// <summary>Writes a model from its parts.</summary>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="config">Shape of the model.</param>
    /// <param name="vocabulary">Its tokenizer, with as many pieces as the model has rows.</param>
    /// <param name="tensors">Weights by HuggingFace name.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <exception cref="InvalidDataException">A tensor is missing or holds a number that cannot be stored.</exception>
    public static void Write(string folder, ModelConfig config, SentencePieceModel vocabulary, IReadOnlyDictionary<string, TensorSource> tensors, SafetensorsType type)
    {
        config.Validated();
        if (vocabulary.VocabSize != config.VocabSize)
        {
            throw new InvalidDataException($"the tokenizer has {vocabulary.VocabSize} pieces, the model {config.VocabSize} rows; they must be equal.");
        }

        WriteWeights(folder, config, tensors, type);
        WriteJson(Path.Combine(folder, HuggingFaceConfig.FileName), Configuration(config, vocabulary, type));
        WriteJson(Path.Combine(folder, HuggingFaceTokenizer.ConfigFile), TokenizerConfiguration(vocabulary));
        WriteJson(Path.Combine(folder, "generation_config.json"), new JsonObject { ["bos_token_id"] = vocabulary.BosId, ["eos_token_id"] = EndIds(vocabulary) });
        CompleteFile.Write(
            Path.Combine(folder, HuggingFaceTokenizer.ModelFile), stream => stream.Write(SentencePieceWriter.Write(vocabulary)), path => SentencePieceModel.Load(path));
    }

    /// <summary>Writes other weights of the model in a folder: what is not weights is copied from there.</summary>
    /// <param name="folder">Made if it is not there; another folder than the base's.</param>
    /// <param name="model">The base.</param>
    /// <param name="tensors">Weights by HuggingFace name.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <exception cref="InvalidDataException">The folders are the same, a tensor is missing, or holds a number that cannot be stored.</exception>
    public static void WriteLike(string folder, HuggingFaceFolder model, IReadOnlyDictionary<string, TensorSource> tensors, SafetensorsType type)
    {
        if (Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar) == Path.GetFullPath(model.FolderPath).TrimEnd(Path.DirectorySeparatorChar))
        {
            throw new InvalidDataException($"{folder}: the result must not overwrite the model that it is made from; name another folder.");
        }

        WriteWeights(folder, model.Config.Model, tensors, type);
        foreach (var file in new DirectoryInfo(model.FolderPath).EnumerateFiles().Where(f => f.Length <= MaxCopiedBytes && !LeftBehind.Any(e => f.Name.EndsWith(e, StringComparison.OrdinalIgnoreCase))))
        {
            file.CopyTo(Path.Combine(folder, file.Name), overwrite: true);
        }

        var path = Path.Combine(folder, HuggingFaceConfig.FileName);
        var configuration = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        configuration["torch_dtype"] = TorchName(type);
        WriteJson(path, configuration);
    }

    /// <summary>All that the shape asks for, in the order of the layers; what else is in the dictionary is dropped.</summary>
    private static void WriteWeights(string folder, ModelConfig config, IReadOnlyDictionary<string, TensorSource> tensors, SafetensorsType type)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, source) in Gguf.InternLm2Layout.InHuggingFaceOrder(config, tensors))
        {
            writer.Add(name, type, source);
        }

        writer.WriteFolder(folder);
    }

    private static JsonObject Configuration(ModelConfig config, SentencePieceModel vocabulary, SafetensorsType type) => new()
    {
        ["architectures"] = new JsonArray(HuggingFaceConfig.Architecture),
        ["model_type"] = "internlm2",
        ["attn_implementation"] = "eager",
        ["bias"] = false,
        ["bos_token_id"] = vocabulary.BosId,
        ["eos_token_id"] = vocabulary.EosId,
        ["pad_token_id"] = vocabulary.PadId >= 0 ? vocabulary.PadId : vocabulary.EosId,
        ["hidden_act"] = "silu",
        ["hidden_size"] = config.HiddenSize,
        ["initializer_range"] = 0.02,
        ["intermediate_size"] = config.IntermediateSize,
        ["max_position_embeddings"] = config.ContextLength,
        ["num_attention_heads"] = config.Heads,
        ["num_hidden_layers"] = config.Layers,
        ["num_key_value_heads"] = config.KeyValueHeads,
        ["rms_norm_eps"] = (double)(decimal)config.RmsNormEpsilon,
        ["rope_theta"] = (double)(decimal)config.RopeBase,
        ["tie_word_embeddings"] = false,
        ["torch_dtype"] = TorchName(type),
        ["use_cache"] = true,
        ["vocab_size"] = config.VocabSize,
    };

    /// <summary>Control and user-defined pieces are listed as added tokens, which is where HuggingFace's programs and converters look for them.</summary>
    private static JsonObject TokenizerConfiguration(SentencePieceModel vocabulary)
    {
        var decoder = new JsonObject();
        foreach (var (id, piece) in vocabulary.Pieces.Index().Where(p => p.Item.Type is PieceType.Unknown or PieceType.Control or PieceType.UserDefined))
        {
            decoder[id.ToString(System.Globalization.CultureInfo.InvariantCulture)] = new JsonObject
            {
                ["content"] = piece.Text,
                ["lstrip"] = false,
                ["normalized"] = false,
                ["rstrip"] = false,
                ["single_word"] = false,
                ["special"] = piece.Type != PieceType.UserDefined,
            };
        }

        var configuration = new JsonObject
        {
            ["added_tokens_decoder"] = decoder,
            ["bos_token"] = vocabulary.Settings.BosPiece,
            ["eos_token"] = vocabulary.Settings.EosPiece,
            ["unk_token"] = vocabulary.Pieces[vocabulary.UnknownId].Text,
            ["pad_token"] = vocabulary.PadId >= 0 ? vocabulary.Settings.PadPiece : vocabulary.Settings.EosPiece,
            ["add_bos_token"] = true,
            ["add_eos_token"] = false,
            ["clean_up_tokenization_spaces"] = false,
            ["tokenizer_class"] = "InternLM2Tokenizer",
        };
        if (vocabulary.IdOf(ChatTemplate.EndPiece) >= 0)
        {
            configuration["chat_template"] = ChatTemplate.Jinja;
        }

        return configuration;
    }

    private static JsonArray EndIds(SentencePieceModel vocabulary) =>
        [.. new[] { vocabulary.EosId, vocabulary.IdOf(ChatTemplate.EndPiece) }.Where(id => id >= 0).Select(id => JsonValue.Create(id))];

    private static string TorchName(SafetensorsType type) => type switch
    {
        SafetensorsType.BF16 => "bfloat16",
        SafetensorsType.F16 => "float16",
        _ => "float32",
    };

    private static void WriteJson(string path, JsonObject content) => CompleteFile.Write(
        path,
        stream => stream.Write(JsonSerializer.SerializeToUtf8Bytes(content, Indented)),
        temporary => JsonDocument.Parse(File.ReadAllBytes(temporary)).Dispose());
}
