using Microsoft.Extensions.AI;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>
/// A GGUF embedding model, such as those of the bge family, in this process: many texts a pass, vectors of length 1. Callers are served
/// one after another.
/// </summary>
/// <remarks>A text longer than the model can read is cut at its end.</remarks>
public sealed class LlamaEmbedder : IEmbeddingGenerator<string, Embedding<float>>
{
    /// <summary>Tokens that an encoder computes at once; a text of the usual 512 always fits.</summary>
    private const int PassTokens = 1024;

    /// <summary>Texts in a pass.</summary>
    private const int PassTexts = 32;

    // llama_pooling_type
    private const int PoolingNone = 0;
    private const int PoolingMean = 1;
    private const int PoolingRank = 4;

    private readonly LlamaModel model;
    private readonly ContextHandle context;
    private readonly NativeThread thread = new("embeddings");
    private readonly TokenBatch batch;
    private readonly int longest;
    private readonly EmbeddingGeneratorMetadata metadata;

    private LlamaEmbedder(LlamaModel model, ContextHandle context)
    {
        (this.model, this.context) = (model, context);
        batch = new TokenBatch(context.BatchLength);
        longest = Math.Min(context.BatchLength, model.TrainingContextLength > 0 ? model.TrainingContextLength : context.BatchLength);
        Dimensions = context.EmbeddingLength;
        metadata = new EmbeddingGeneratorMetadata("llama.cpp", null, Path.GetFileNameWithoutExtension(model.Path), Dimensions);
    }

    public int Dimensions { get; }

    /// <summary>Architecture, size and quantisation in llama.cpp's words.</summary>
    public string Description => model.Description;

    /// <summary>Loads a model; blocks for as long as that takes.</summary>
    /// <exception cref="LlamaException">The file, the memory or the library will not do, or it is no embedding model.</exception>
    public static LlamaEmbedder Load(string path, int? threads = null)
    {
        var pooling = ModelFile.Read(path, file => file.Metadata.Get($"{file.Metadata.Get("general.architecture", "")}.pooling_type", -1));
        if (pooling is < 0 or PoolingRank)
        {
            throw new LlamaException(LlamaError.LoadFailed, $"{path} is no embedding model ({(pooling < 0 ? "it names no pooling" : "it ranks pairs of texts")}): use one such as bge-small-zh-v1.5.");
        }

        var model = LlamaModel.Load(new LlamaOptions { Path = path, ContextLength = 0, Threads = threads, BatchThreads = threads, Sequences = 1, KvCache = KvCacheType.F16 });
        try
        {
            return new LlamaEmbedder(model, model.CreateEmbeddingContext(PassTokens, PassTexts, pooling == PoolingNone ? PoolingMean : pooling));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var texts = values.ToList();
        return await thread.RunAsync(() => Compute(texts, cancellationToken), cancellationToken);
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(EmbeddingGeneratorMetadata) ? metadata
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    public void Dispose()
    {
        thread.Dispose();
        context.Dispose();
        model.Dispose();
    }

    private GeneratedEmbeddings<Embedding<float>> Compute(List<string> texts, CancellationToken cancellationToken)
    {
        var result = new GeneratedEmbeddings<Embedding<float>>(texts.Count);
        var tokens = 0;
        var waiting = new List<int[]>();
        foreach (var text in texts)
        {
            var encoded = Encode(text);
            if (waiting.Count == PassTexts || waiting.Sum(t => t.Length) + encoded.Length > batch.Capacity)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Pass(waiting, result);
            }

            waiting.Add(encoded);
            tokens += encoded.Length;
        }

        Pass(waiting, result);
        result.Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens };
        return result;
    }

    /// <summary>With the model's own marks around it; the last mark stays when the text is cut.</summary>
    private int[] Encode(string text)
    {
        var tokens = model.Vocabulary.Encode(text, parseSpecial: false, addSpecial: true);
        if (tokens.Length == 0)
        {
            throw new ArgumentException("An empty text has no embedding with this model.", nameof(text));
        }

        return tokens.Length <= longest ? tokens : [.. tokens[..(longest - 1)], tokens[^1]];
    }

    private void Pass(List<int[]> texts, GeneratedEmbeddings<Embedding<float>> result)
    {
        if (texts.Count == 0)
        {
            return;
        }

        context.Clear();
        batch.Clear();
        for (var sequence = 0; sequence < texts.Count; sequence++)
        {
            for (var i = 0; i < texts[sequence].Length; i++)
            {
                batch.Add(texts[sequence][i], i, sequence, output: true);
            }
        }

        var code = batch.Decode(context);
        if (code != 0)
        {
            throw new LlamaException(LlamaError.DecodeFailed, $"llama.cpp could not compute the embeddings (code {code}).");
        }

        for (var sequence = 0; sequence < texts.Count; sequence++)
        {
            result.Add(new Embedding<float>(Normalised(context.Embedding(sequence))));
        }

        texts.Clear();
    }

    private static float[] Normalised(ReadOnlySpan<float> vector)
    {
        var sum = 0d;
        foreach (var value in vector)
        {
            sum += (double)value * value;
        }

        var scale = sum > 0 && double.IsFinite(sum) ? 1 / Math.Sqrt(sum) : throw new LlamaException(LlamaError.DecodeFailed, "The embedding model gave a vector without direction: its file may be damaged.");
        var result = new float[vector.Length];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = (float)(vector[i] * scale);
        }

        return result;
    }
}
