namespace PsyLite.Engine;

/// <summary>How llama.cpp brings the weights into memory (llama_load_mode).</summary>
public enum LlamaLoadMode
{
    /// <summary>llama.cpp decides; with repacking the file's pages and the repacked weights then lie in memory together.</summary>
    Auto = -1,

    /// <summary>Read the weights once; the least resident memory when they are repacked.</summary>
    Read = 0,

    /// <summary>Map the file; several processes share its pages.</summary>
    Map = 1,

    /// <summary>Read, and keep the system from swapping the weights out.</summary>
    ReadLocked = 2,

    /// <summary>Map, and keep the system from swapping the pages out.</summary>
    MapLocked = 3,

    /// <summary>Read past the page cache where the system can.</summary>
    DirectIo = 4,
}

/// <summary>Number format of the key/value cache (ggml_type).</summary>
public enum KvCacheType
{
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q8_0 = 8,
    BF16 = 30,
}

/// <summary>A LoRA adapter that is added to the weights when the model is loaded.</summary>
/// <param name="Path">GGUF file, as psylite model convert --adapter writes it.</param>
/// <param name="Scale">Factor beside the adapter's own.</param>
public sealed record LoraFile(string Path, float Scale = 1);

/// <summary>What to load and how.</summary>
public sealed record LlamaOptions
{
    /// <summary>LLAMA_MAX_SEQ, less those in which labels are scored.</summary>
    private const int MostSequences = 240;

    /// <summary>The GGUF file.</summary>
    public required string Path { get; init; }

    /// <summary>Adapters to add, all at once.</summary>
    public IReadOnlyList<LoraFile> Adapters { get; init; } = [];

    /// <summary>Tokens that one conversation may hold, prompt and reply together; 0 takes the length the model was trained for.</summary>
    public int ContextLength { get; init; } = 4096;

    /// <summary>Threads for decoding one token; null takes every core, or one where a small model is measured to be no slower by it.</summary>
    public int? Threads { get; init; }

    /// <summary>Threads for prompts; null as for <see cref="Threads"/>.</summary>
    public int? BatchThreads { get; init; }

    /// <summary>How the weights come into memory; null, here and below, leaves the choice to <see cref="MemoryPlan"/>.</summary>
    public LlamaLoadMode? LoadMode { get; init; }

    /// <summary>Rearranges the weights for this CPU's wide instructions; costs no memory with <see cref="LlamaLoadMode.Read"/>.</summary>
    public bool? Repack { get; init; }

    /// <summary>Number format of cached keys and values. Quantised values need flash attention.</summary>
    public KvCacheType? KvCache { get; init; }

    /// <summary>
    /// Flash attention. With heads of 32 and an F16 cache it took three times as long at 1,000 tokens, with a Q8_0 cache it is
    /// the faster way (measured on AVX-512).
    /// </summary>
    public bool? FlashAttention { get; init; }

    /// <summary>Prompt tokens computed at once.</summary>
    public int? BatchLength { get; init; }

    /// <summary>Conversations that may be computed or kept at once.</summary>
    public int? Sequences { get; init; }

    /// <summary>Whether conversations share one pool of cache cells, or have a context's worth each.</summary>
    public bool? SharedCells { get; init; }

    /// <summary>Bytes that the whole program may take; a shared pool of cells grows into what is left. Null is 5 GB.</summary>
    public long? MemoryBudget { get; init; }

    /// <summary>Layers to put on a GPU when the libraries have a GPU backend; -1 means all.</summary>
    public int GpuLayers { get; init; } = -1;

    /// <summary>Reads every weight and refuses NaN and infinity.</summary>
    public bool CheckTensors { get; init; }


    /// <summary>Checks the ranges that llama.cpp would meet with an assertion.</summary>
    internal LlamaOptions Validated()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(Path);
        ArgumentOutOfRangeException.ThrowIfNegative(ContextLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchLength ?? 1, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Sequences ?? 1, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Sequences ?? 1, MostSequences);
        ArgumentOutOfRangeException.ThrowIfLessThan(Threads ?? 1, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchThreads ?? 1, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Max(Threads ?? 1, BatchThreads ?? 1), Native.ThreadpoolParams.MaxThreads);
        return this;
    }
}
