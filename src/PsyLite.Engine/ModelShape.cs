using PsyLite.Models.Gguf;

namespace PsyLite.Engine;

/// <summary>The sizes of a model that decide how much memory it takes, as its header gives them.</summary>
internal sealed record ModelShape
{
    public required long WeightBytes { get; init; }

    public required int TrainedContext { get; init; }

    public required long Layers { get; init; }

    public required long Width { get; init; }

    public required long FeedForward { get; init; }

    public required long Vocabulary { get; init; }

    public required long CacheHeads { get; init; }

    public required long KeyWidth { get; init; }

    public required long ValueWidth { get; init; }

    /// <exception cref="InvalidDataException">A size in the header is not a number.</exception>
    public static ModelShape Read(GgufReader file)
    {
        var metadata = file.Metadata;
        var architecture = metadata.Get("general.architecture", "");
        long Size(string name, long fallback) => Math.Max(Largest(metadata, $"{architecture}.{name}") ?? fallback, 0);
        var width = Size("embedding_length", 0);
        var heads = Math.Max(Size("attention.head_count", 1), 1);
        var parts = Math.Clamp(metadata.Get("split.count", 1), 1, short.MaxValue);
        return new ModelShape
        {
            WeightBytes = file.Tensors.Sum(t => t.ByteCount) * parts,
            TrainedContext = (int)Math.Min(Size("context_length", 0), int.MaxValue),
            Layers = Size("block_count", 0),
            Width = width,
            FeedForward = Size("feed_forward_length", 4 * width),
            Vocabulary = Size("vocab_size", 0),
            CacheHeads = Size("attention.head_count_kv", heads),
            KeyWidth = Size("attention.key_length", width / heads),
            ValueWidth = Size("attention.value_length", width / heads),
        };
    }

    /// <summary>Bytes of keys and values of one token; a double, since a damaged header may give any size.</summary>
    public double CacheBytesPerToken(KvCacheType type) => (double)Layers * CacheHeads * (KeyWidth + ValueWidth) * BytesPerValue(type);

    private static double BytesPerValue(KvCacheType type) => type switch
    {
        KvCacheType.F32 => 4,
        KvCacheType.Q8_0 => 34.0 / 32,
        KvCacheType.Q4_0 => 18.0 / 32,
        _ => 2,
    };

    /// <summary>The value, or the largest of an array: some architectures give one value per layer.</summary>
    private static long? Largest(GgufMetadata metadata, string key) => metadata.FirstOrDefault(p => p.Key == key).Value switch
    {
        null => null,
        int[] { Length: > 0 } values => values.Max(),
        uint[] { Length: > 0 } values => values.Max(),
        _ => metadata.Get<long>(key),
    };
}
