using System.Globalization;
using PsyLite.Models.Gguf;

namespace PsyLite.Engine;

/// <summary>Bytes that a model and its context will take.</summary>
internal readonly record struct MemoryNeed(long Weights, long Cache, long Working)
{
    public long Total => Weights + Cache + Working;

    /// <summary>The context that is really made: asked for, or trained for, whichever is shorter.</summary>
    public static int ContextLength(int asked, int trained) => asked == 0 ? trained : trained <= 0 ? asked : Math.Min(asked, trained);

    /// <summary>
    /// Cache: context x layers x key/value heads x (key + value width). Working memory is llama.cpp's compute buffers,
    /// which grow with the batch; the factor covers the widest activations of one layer.
    /// </summary>
    /// <exception cref="InvalidDataException">A size in the header is not a number.</exception>
    public static MemoryNeed Of(LlamaOptions options, GgufReader file)
    {
        var metadata = file.Metadata;
        var architecture = metadata.Get("general.architecture", "");
        long Read(string name, long fallback) => Largest(metadata, $"{architecture}.{name}") ?? fallback;

        var layers = Read("block_count", 0);
        var width = Read("embedding_length", 0);
        var heads = Math.Max(Read("attention.head_count", 1), 1);
        var cacheHeads = Read("attention.head_count_kv", heads);
        var keyWidth = Read("attention.key_length", width / heads);
        var valueWidth = Read("attention.value_length", width / heads);
        var context = ContextLength(options.ContextLength, (int)Math.Clamp(Read("context_length", 0), 0, int.MaxValue));
        var cache = (long)(context * (double)layers * cacheHeads * (keyWidth + valueWidth) * BytesPerValue(options.KvCache));
        var working = (long)(options.BatchLength * (double)Math.Max(Read("feed_forward_length", 4 * width), width) * sizeof(float) * 4);
        var parts = Math.Clamp(metadata.Get("split.count", 1), 1, short.MaxValue);
        return new MemoryNeed(file.Tensors.Sum(t => t.ByteCount) * parts, cache, working);
    }

    /// <summary>Refuses before memory runs out, since the system would kill the whole program later.</summary>
    /// <exception cref="LlamaException">Less memory is free than needed.</exception>
    public void Check(string path) => Check(path, AvailableMemory.Bytes());

    internal void Check(string path, long? available)
    {
        if (available is { } free && Total > free)
        {
            throw new LlamaException(
                LlamaError.OutOfMemory,
                $"{path} needs {Gigabytes(Total)} of memory (weights {Gigabytes(Weights)}, context {Gigabytes(Cache)}) and {Gigabytes(free)} are free: close other programs, or take a smaller quantisation or context.");
        }
    }

    private static double BytesPerValue(KvCacheType type) => type switch
    {
        KvCacheType.F32 => 4,
        KvCacheType.Q8_0 => 34.0 / 32,
        KvCacheType.Q4_0 => 18.0 / 32,
        _ => 2,
    };

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.0#} GiB");

    /// <summary>The value, or the largest of an array: some architectures give one value per layer.</summary>
    private static long? Largest(GgufMetadata metadata, string key) => metadata.FirstOrDefault(p => p.Key == key).Value switch
    {
        null => null,
        int[] { Length: > 0 } values => values.Max(),
        uint[] { Length: > 0 } values => values.Max(),
        _ => metadata.Get<long>(key),
    };
}
