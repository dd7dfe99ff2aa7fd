using PsyLite.Models.Text;

namespace PsyLite.Models.Gguf;

/// <summary>What a GGUF file says about its model besides its shape.</summary>
/// <param name="Name">Human-readable name.</param>
/// <param name="Description">One sentence, or null.</param>
/// <param name="License">SPDX identifier in lower case, or null.</param>
public sealed record ModelCard(string Name, string? Description = null, string? License = null);

/// <summary>
/// InternLM2 models as GGUF, in the layout that llama.cpp's architecture "internlm2" loads, and back to HuggingFace's layout.
/// </summary>
/// <remarks>
/// Source: conversion/internlm.py and src/models/internlm2.cpp of llama.cpp v0.5.0. HuggingFace fuses queries, keys and values: wqkv has,
/// for each key/value group, its query heads, then one key head, then one value head. GGUF splits them into attn_q, attn_k and attn_v,
/// and interleaves the rows of each query and key head, because llama.cpp rotates neighbouring elements (2 j, 2 j + 1) where InternLM2
/// rotates (j, j + half).
/// </remarks>
public static class InternLm2Gguf
{
    internal const string Architecture = "internlm2";
    internal const uint QuantizationVersion = 2;

    /// <summary>Writes a model that llama.cpp loads.</summary>
    /// <param name="path">Where; replaced only once the new file is complete.</param>
    /// <param name="config">Shape of the model.</param>
    /// <param name="vocabulary">Its tokenizer; it needs byte fallback, which llama.cpp takes for granted.</param>
    /// <param name="tensors">
    /// Weights by HuggingFace name: model.tok_embeddings.weight [vocab, d], model.layers.N.attention.wqkv.weight [qkv, d],
    /// model.layers.N.attention.wo.weight [d, d], model.layers.N.feed_forward.{w1,w3}.weight [ffn, d],
    /// model.layers.N.feed_forward.w2.weight [d, ffn], model.layers.N.{attention_norm,ffn_norm}.weight [d], model.norm.weight [d],
    /// output.weight [vocab, d].
    /// </param>
    /// <param name="type">F32, F16 or BF16 for the matrices; vectors are always F32.</param>
    /// <param name="card">Name and origin.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, of the wrong shape or not finite, or the vocabulary does not fit.</exception>
    public static void Write(
        string path, ModelConfig config, SentencePieceModel vocabulary, IReadOnlyDictionary<string, TensorSource> tensors, GgmlType type, ModelCard card)
    {
        config.Validated();
        var writer = new GgufWriter();
        SetGeneral(writer, config, card, FileTypeOf(type));
        SetVocabulary(writer, config, vocabulary);
        foreach (var (name, source) in InternLm2Layout.ToGguf(config, tensors))
        {
            writer.Add(name, source.Shape.Count == 1 ? GgmlType.F32 : type, source);
        }

        writer.Write(path);
    }

    /// <summary>Writes a model whose tensors the caller stores, in whichever types.</summary>
    /// <param name="path">Where; replaced only once the new file is complete.</param>
    /// <param name="config">Shape of the model.</param>
    /// <param name="vocabulary">Its tokenizer; it needs byte fallback.</param>
    /// <param name="fileType">llama_ftype: what the file calls its mix of types.</param>
    /// <param name="card">Name and origin.</param>
    /// <param name="store">Type and writer of a tensor, by its GGUF name and shape, outermost size first.</param>
    /// <exception cref="InvalidDataException">The vocabulary does not fit.</exception>
    public static void WriteStored(
        string path, ModelConfig config, SentencePieceModel vocabulary, uint fileType, ModelCard card, Func<string, IReadOnlyList<long>, (GgmlType Type, Action<Stream> Write)> store)
    {
        config.Validated();
        var writer = new GgufWriter();
        SetGeneral(writer, config, card, fileType);
        SetVocabulary(writer, config, vocabulary);
        foreach (var (name, shape) in InternLm2Layout.GgufShapes(config))
        {
            var (type, write) = store(name, shape);
            writer.AddStored(name, type, shape, write);
        }

        writer.Write(path);
    }

    /// <summary>Names and shapes, outermost size first, of all tensors of a file of this shape, in file order.</summary>
    public static IEnumerable<(string Name, IReadOnlyList<long> Shape)> Shapes(ModelConfig config) => InternLm2Layout.GgufShapes(config);

    /// <summary>Names and shapes, outermost size first, of all tensors of a HuggingFace model of this shape.</summary>
    public static IEnumerable<(string Name, IReadOnlyList<long> Shape)> HuggingFaceShapes(ModelConfig config) => InternLm2Layout.HuggingFaceShapes(config);

    /// <summary>The shape of the model in a GGUF file.</summary>
    /// <exception cref="InvalidDataException">It is of another architecture or its metadata is incomplete.</exception>
    public static ModelConfig ReadConfig(GgufReader file)
    {
        var metadata = file.Metadata;
        if (metadata.Get("general.architecture", "") is var architecture && architecture != Architecture)
        {
            throw new InvalidDataException($"{file.FilePath}: the model is of architecture {ErrorText.Quote(architecture)}, not {Architecture}.");
        }

        var heads = metadata.Get<int>(Key("attention.head_count"));
        try
        {
            return new ModelConfig(
                metadata.Get<string[]>("tokenizer.ggml.tokens").Length, metadata.Get<int>(Key("embedding_length")), metadata.Get<int>(Key("feed_forward_length")),
                metadata.Get<int>(Key("block_count")), heads, metadata.Get(Key("attention.head_count_kv"), heads), metadata.Get<int>(Key("context_length")),
                metadata.Get(Key("rope.freq_base"), 10_000f), metadata.Get<float>(Key("attention.layer_norm_rms_epsilon"))).Validated();
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{file.FilePath}: {e.Message}", e);
        }
    }

    /// <summary>The SentencePiece vocabulary in a GGUF file.</summary>
    /// <exception cref="InvalidDataException">Its tokenizer is not of llama.cpp's type "llama" or is incomplete.</exception>
    public static SentencePieceModel ReadVocabulary(GgufReader file)
    {
        var metadata = file.Metadata;
        if (metadata.Get("tokenizer.ggml.model", "") is var model && model != "llama")
        {
            throw new InvalidDataException($"{file.FilePath}: the tokenizer is of type {ErrorText.Quote(model)}, not a SentencePiece one ('llama').");
        }

        var tokens = metadata.Get<string[]>("tokenizer.ggml.tokens");
        var scores = metadata.Get<float[]>("tokenizer.ggml.scores");
        var types = metadata.Get<int[]>("tokenizer.ggml.token_type");
        if (scores.Length != tokens.Length || types.Length != tokens.Length)
        {
            throw new InvalidDataException($"{file.FilePath}: tokens, scores and token types of the vocabulary differ in number.");
        }

        // llama.cpp's converter types <unk> a control piece when a configuration lists it among the added tokens.
        var unknown = metadata.Get("tokenizer.ggml.unknown_token_id", 0);
        if (!types.Contains((int)PieceType.Unknown) && (uint)unknown < (uint)types.Length)
        {
            types = [.. types];
            types[unknown] = (int)PieceType.Unknown;
        }

        return new SentencePieceModel(
            tokens.Select((token, id) => new SentencePiece(token, scores[id], (PieceType)types[id])),
            new SentencePieceSettings
            {
                AddDummyPrefix = metadata.Get("tokenizer.ggml.add_space_prefix", true),
                RemoveExtraWhitespaces = metadata.Get("tokenizer.ggml.remove_extra_whitespaces", false),
                ByteFallback = types.Contains((int)PieceType.Byte),
            });
    }

    /// <summary>The weights of a GGUF file under HuggingFace's names and in its layout; they are read when asked for.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or of the wrong shape.</exception>
    /// <exception cref="NotSupportedException">Raised when a quantised tensor is read.</exception>
    public static IReadOnlyDictionary<string, TensorSource> ReadTensors(GgufReader file) =>
        InternLm2Layout.ToHuggingFace(ReadConfig(file), file.Tensors.ToDictionary(
            t => t.Name, t => new TensorSource(t.Shape, (start, destination) => file.ReadFloats(t, start, destination)), StringComparer.Ordinal));

    /// <summary>llama_ftype of a file of unquantised matrices.</summary>
    internal static uint FileTypeOf(GgmlType type) => type switch
    {
        GgmlType.F32 => 0,
        GgmlType.F16 => 1,
        GgmlType.BF16 => 32,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Only F32, F16 and BF16 are written; quantise afterwards."),
    };

    /// <summary>The keys of a SentencePiece vocabulary that every file has, in the converter's order.</summary>
    internal static void SetPieces(GgufWriter writer, (string[] Tokens, float[] Scores, int[] Types) pieces, bool addsSpacePrefix) => writer
        .Set("tokenizer.ggml.model", "llama")
        .Set("tokenizer.ggml.pre", "default")
        .Set("tokenizer.ggml.tokens", pieces.Tokens)
        .Set("tokenizer.ggml.scores", pieces.Scores)
        .Set("tokenizer.ggml.token_type", pieces.Types)
        .Set("tokenizer.ggml.add_space_prefix", addsSpacePrefix);

    private static string Key(string name) => $"{Architecture}.{name}";

    private static void SetGeneral(GgufWriter writer, ModelConfig config, ModelCard card, uint fileType)
    {
        writer.Set("general.architecture", Architecture).Set("general.type", "model").Set("general.name", card.Name);
        if (card.Description is not null)
        {
            writer.Set("general.description", card.Description);
        }

        if (card.License is not null)
        {
            writer.Set("general.license", card.License);
        }

        writer
            .Set("general.file_type", fileType)
            .Set("general.quantization_version", QuantizationVersion)
            .Set(Key("block_count"), (uint)config.Layers)
            .Set(Key("context_length"), (uint)config.ContextLength)
            .Set(Key("embedding_length"), (uint)config.HiddenSize)
            .Set(Key("feed_forward_length"), (uint)config.IntermediateSize)
            .Set(Key("attention.head_count"), (uint)config.Heads)
            .Set(Key("attention.head_count_kv"), (uint)config.KeyValueHeads)
            .Set(Key("attention.layer_norm_rms_epsilon"), config.RmsNormEpsilon)
            .Set(Key("rope.freq_base"), config.RopeBase)
            .Set(Key("rope.dimension_count"), (uint)config.HeadSize)
            .Set(Key("vocab_size"), (uint)config.VocabSize);
    }

    private static void SetVocabulary(GgufWriter writer, ModelConfig config, SentencePieceModel vocabulary)
    {
        if (vocabulary.VocabSize != config.VocabSize || !vocabulary.Settings.ByteFallback || vocabulary.BosId < 0 || vocabulary.EosId < 0)
        {
            throw new InvalidDataException(
                $"the tokenizer ({vocabulary.VocabSize} pieces) does not suit the model ({config.VocabSize} rows): the numbers must be equal, and it needs byte fallback, <s> and </s>.");
        }

        SetPieces(writer, vocabulary.ToGgufArrays(), vocabulary.Settings.AddDummyPrefix);
        writer
            .Set("tokenizer.ggml.remove_extra_whitespaces", vocabulary.Settings.RemoveExtraWhitespaces)
            .Set("tokenizer.ggml.bos_token_id", (uint)vocabulary.BosId)
            .Set("tokenizer.ggml.unknown_token_id", (uint)vocabulary.UnknownId)
            .Set("tokenizer.ggml.padding_token_id", (uint)(vocabulary.PadId >= 0 ? vocabulary.PadId : vocabulary.EosId))
            .Set("tokenizer.ggml.add_bos_token", true)
            .Set("tokenizer.ggml.add_eos_token", false);

        // A chat model ends its turns with <|im_end|>, so that is its end of sequence, too, as llama.cpp's converter has it.
        var endOfTurn = vocabulary.IdOf(ChatTemplate.EndPiece);
        writer.Set("tokenizer.ggml.eos_token_id", (uint)(endOfTurn >= 0 ? endOfTurn : vocabulary.EosId));
        if (endOfTurn >= 0)
        {
            writer.Set("tokenizer.ggml.eot_token_id", (uint)endOfTurn).Set("tokenizer.chat_template", ChatTemplate.Jinja);
        }
    }
}
