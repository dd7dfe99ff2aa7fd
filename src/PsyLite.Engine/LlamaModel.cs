using System.Security.Cryptography;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>
/// A loaded GGUF model: weights, vocabulary, chat template. Thread-safe. Clients made from it keep the weights alive, so
/// it may be disposed before them.
/// </summary>
public sealed class LlamaModel : IDisposable
{
    // llama_flash_attn_type
    private const int FlashAttentionAuto = -1;
    private const int FlashAttentionOff = 0;
    private const int FlashAttentionOn = 1;

    private readonly LlamaOptions options;
    private readonly ModelHandle handle;
    private readonly Lock hashing = new();
    private Task<string>? hash;

    private LlamaModel(LlamaOptions options, MemoryPlan plan, ModelHandle handle)
    {
        this.options = options;
        Plan = plan;
        this.handle = handle;
        Vocabulary = new Vocabulary(handle);
        Metadata = ModelFacts.Metadata(handle);
        Description = ModelFacts.Description(handle);
        Template = ModelFacts.ChatTemplate(handle);
        TrainingContextLength = LlamaNative.TrainingContextLength(handle);
        ParameterCount = (long)LlamaNative.ParameterCount(handle);
        FileBytes = new FileInfo(options.Path).Length;
        ContextLength = plan.ContextLength;
        IsSmall = plan.IsSmall;
        (int, int) Range(int? asked) => asked is { } threads ? (threads, threads) : (IsSmall ? 1 : ProcessorCores.Count, ProcessorCores.Count);
        DecodeThreads = Range(options.Threads);
        BatchThreads = Range(options.BatchThreads);
    }

    public string Path => options.Path;

    /// <summary>Adapters that were added to the weights.</summary>
    public IReadOnlyList<LoraFile> Adapters => options.Adapters;

    /// <summary>Architecture, size and quantisation in llama.cpp's words.</summary>
    public string Description { get; }

    /// <summary>The scalars of the GGUF header as text.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    public long FileBytes { get; }

    public long ParameterCount { get; }

    public int VocabularySize => Vocabulary.Size;

    /// <summary>Tokens that one conversation with this model may hold.</summary>
    public int ContextLength { get; }

    public int TrainingContextLength { get; }

    /// <summary>The file's own chat template in Jinja, or null.</summary>
    public string? Template { get; }

    /// <summary>How it was loaded and will be run, and why.</summary>
    public MemoryPlan Plan { get; }

    /// <summary>Null when all weights were read into memory.</summary>
    internal MappedWeights? Mapped { get; private init; }

    internal Vocabulary Vocabulary { get; }

    internal bool IsSmall { get; }

    /// <summary>Fewest and most threads worth trying for one token.</summary>
    internal (int Fewest, int Most) DecodeThreads { get; }

    /// <summary>Whether the number of threads may follow what other programs leave of the processor: not when it was asked for.</summary>
    internal bool AdaptsThreads => options.Threads is null && options.BatchThreads is null;

    /// <summary>Fewest and most threads worth trying for a prompt.</summary>
    internal (int Fewest, int Most) BatchThreads { get; }

    /// <summary>Loads a model; large ones take seconds, so call it where blocking does no harm.</summary>
    /// <exception cref="LlamaException">The file, the memory or the library will not do; the message says what to do.</exception>
    public static LlamaModel Load(LlamaOptions options, IProgress<float>? progress = null, CancellationToken cancellationToken = default)
    {
        var plan = MemoryPlan.For(options);
        using var errors = LlamaLibrary.Current.Log.CollectErrors();
        var handle = ModelHandle.Load(options, plan, progress, cancellationToken) ?? throw ModelFile.Refused(options.Path, errors.Lines);
        foreach (var adapter in options.Adapters)
        {
            ModelFile.CheckAdapter(adapter.Path);
            if (!handle.AddAdapter(adapter))
            {
                handle.Dispose();
                throw ModelFile.RefusedAdapter(adapter.Path, options.Path, errors.Lines);
            }
        }

        var mapped = plan.DropsPages ? new MappedWeights(options.Path) : null;
        mapped?.Settle();
        return new LlamaModel(options, plan, handle) { Mapped = mapped };
    }

    /// <summary>Tokens of a text, with nothing added. Special tokens in it are read as such only when the text is the program's own.</summary>
    public int[] Tokenize(string text, bool parseSpecial = false) => Vocabulary.Encode(text, parseSpecial);

    /// <summary>Text of tokens; special tokens appear by name when asked for, else not at all.</summary>
    public string Detokenize(ReadOnlySpan<int> tokens, bool special = false) => Vocabulary.Decode(tokens, special);

    /// <summary>SHA-256 of the file in lower-case hex, computed once.</summary>
    public Task<string> Sha256Async(CancellationToken cancellationToken = default)
    {
        lock (hashing)
        {
            hash ??= HashAsync(Path);
            return hash.WaitAsync(cancellationToken);
        }
    }

    public void Dispose() => handle.Dispose();

    /// <summary>Makes a context by the plan, with further sequences for branches that live for a decode.</summary>
    internal ContextHandle CreateContext(int branches)
    {
        var parameters = Parameters();
        parameters.ContextLength = (uint)Plan.Cells;
        parameters.BatchLength = (uint)(Plan.BatchLength + Plan.Outputs);
        parameters.MicroBatchLength = (uint)Plan.BatchLength;
        parameters.MaxSequences = (uint)(Plan.Sequences + branches);
        parameters.MaxOutputs = (uint)Plan.Outputs;
        parameters.KeyType = parameters.ValueType = Plan.KvCache;
        parameters.FlashAttention = Plan.FlashAttention switch { true => FlashAttentionOn, false => FlashAttentionOff, null => FlashAttentionAuto };
        parameters.UnifiedKeyValue = Plan.SharedCells ? (byte)1 : (byte)0;
        return Create(parameters);
    }

    /// <summary>Makes a context of one sequence that computes in float32 throughout, where flash attention would round to half precision.</summary>
    internal ContextHandle CreateExactContext()
    {
        var parameters = Parameters();
        parameters.ContextLength = (uint)ContextLength;
        parameters.BatchLength = parameters.MicroBatchLength = (uint)Plan.BatchLength;
        parameters.KeyType = parameters.ValueType = KvCacheType.F32;
        parameters.FlashAttention = FlashAttentionOff;
        return Create(parameters);
    }

    /// <summary>Makes a context of several sequences of equal length, as llama-perplexity does: half-precision cache, flash attention where llama.cpp likes it.</summary>
    internal ContextHandle CreatePerplexityContext(int contextLength, int sequences, int outputs)
    {
        var parameters = Parameters();
        parameters.ContextLength = parameters.BatchLength = (uint)(contextLength * sequences);
        parameters.MicroBatchLength = (uint)Math.Min(contextLength * sequences, TextPerplexity.UsualContext);
        parameters.MaxSequences = (uint)sequences;
        parameters.MaxOutputs = (uint)outputs;
        parameters.FlashAttention = FlashAttentionAuto;
        return Create(parameters);
    }

    /// <summary>Makes a context that gives one vector for each of several texts, all computed in one piece, as an encoder needs it.</summary>
    internal ContextHandle CreateEmbeddingContext(int tokens, int texts, int pooling)
    {
        var parameters = Parameters();
        parameters.ContextLength = parameters.BatchLength = parameters.MicroBatchLength = parameters.MaxOutputs = (uint)tokens;
        parameters.MaxSequences = (uint)texts;
        parameters.UnifiedKeyValue = 1;
        parameters.Embeddings = 1;
        parameters.PoolingType = pooling;
        return Create(parameters);
    }

    private ContextParams Parameters()
    {
        var parameters = LlamaNative.DefaultContextParams();
        parameters.Threads = DecodeThreads.Most;
        parameters.BatchThreads = BatchThreads.Most;
        parameters.NoPerformance = 1;
        return parameters;
    }

    private ContextHandle Create(ContextParams parameters)
    {
        using var errors = LlamaLibrary.Current.Log.CollectErrors();
        var context = ContextHandle.Create(handle, parameters) ?? throw ModelFile.NoContext(ContextLength, errors.Lines);
        context.SetThreads(DecodeThreads.Most, BatchThreads.Most);
        return context;
    }

    private static async Task<string> HashAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file));
    }
}
