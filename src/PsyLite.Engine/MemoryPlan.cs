using System.Globalization;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>One choice of a plan and why it was made.</summary>
public sealed record PlanChoice(string Name, string Value, string Reason);

/// <summary>
/// How a model will be loaded and run here: everything that options leave open is chosen from the machine and the file's
/// header, before anything large is read.
/// </summary>
public sealed record MemoryPlan
{
    /// <summary>Below this many bytes of weights the fixed costs of a token matter, such as the barriers between threads.</summary>
    private const long SmallModelBytes = 256L << 20;

    /// <summary>The promise of the large model: the whole program within 5 GB.</summary>
    private const long UsualBudget = 5_000_000_000;

    /// <summary>The program around the engine, measured: runtime, pages, indexes.</summary>
    private const long ProgramBytes = 120L << 20;

    private const long SmallCacheBytes = 48L << 20;
    private const int SmallSequences = 16;
    private const int LargeSequences = 8;
    private const int MostContexts = 8;

    /// <summary>Values that share a scale in a quantised cache.</summary>
    private const int QuantizedBlock = 32;

    /// <summary>Activations of a layer that are alive at once, in rows of its widest, with room for llama.cpp's attention; measured.</summary>
    private const int LiveRows = 3;

    private MemoryPlan()
    {
    }

    /// <summary>Tokens that one conversation may hold.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Conversations that may be computed or kept at once.</summary>
    public required int Sequences { get; init; }

    /// <summary>Whether all conversations share one pool of cells; else each has <see cref="ContextLength"/> of its own.</summary>
    public required bool SharedCells { get; init; }

    /// <summary>Tokens that all conversations together may hold.</summary>
    public required int Cells { get; init; }

    public required KvCacheType KvCache { get; init; }

    /// <summary>Null leaves it to llama.cpp.</summary>
    public required bool? FlashAttention { get; init; }

    public required LlamaLoadMode LoadMode { get; init; }

    public required bool Repack { get; init; }

    /// <summary>Prompt tokens computed at once; llama.cpp's compute buffers grow with it.</summary>
    public required int BatchLength { get; init; }

    /// <summary>Whether the mapped file's pages are given back while its weights are repacked.</summary>
    internal bool DropsPages => LoadMode == LlamaLoadMode.Map && Repack && FilePages.CanDrop;

    public required long WeightBytes { get; init; }

    public required long CacheBytes { get; init; }

    public required long WorkingBytes { get; init; }

    /// <summary>Memory that the model takes, without the program around it.</summary>
    public long TotalBytes => Clamp((double)WeightBytes + CacheBytes + WorkingBytes);

    public required MachineFacts Machine { get; init; }

    public required IReadOnlyList<PlanChoice> Choices { get; init; }

    internal bool IsSmall => WeightBytes < SmallModelBytes;

    /// <summary>Logit rows of one decode: one for each conversation, and those of a judge's labels.</summary>
    internal int Outputs => Sequences + ScoreRows;

    internal const int ScoreRows = 8;

    /// <summary>Plans for a file without loading it.</summary>
    /// <exception cref="LlamaException">The file cannot be read, or what it needs is not free.</exception>
    public static MemoryPlan For(LlamaOptions options)
    {
        options = options.Validated();
        var plan = Make(options, ModelFile.Read(options.Path, ModelShape.Read), MachineFacts.Read());
        plan.Check(options.Path, plan.Machine.FreeBytes);
        return plan;
    }

    internal static MemoryPlan Make(LlamaOptions options, ModelShape shape, MachineFacts machine)
    {
        var choices = new List<PlanChoice>();
        T Choose<T>(string name, T? asked, T own, string reason)
            where T : struct
        {
            choices.Add(new PlanChoice(name, $"{asked ?? own}", asked is null ? reason : "as asked"));
            return asked ?? own;
        }

        var small = shape.WeightBytes < SmallModelBytes;
        var context = Context(options.ContextLength, shape.TrainedContext);
        choices.Add(new PlanChoice("context", $"{context}", context == options.ContextLength ? "as asked" : "what the model was trained for"));
        var blocks = shape.KeyWidth % QuantizedBlock == 0 && shape.ValueWidth % QuantizedBlock == 0 && shape.KeyWidth > 0;
        var kv = Choose("cache type", options.KvCache, blocks && options.FlashAttention != false ? KvCacheType.Q8_0 : KvCacheType.F16,
            blocks ? "half the bytes of F16, and faster with flash attention" : "its heads are no multiple of 32 wide, or flash attention is off");
        var quantised = kv is KvCacheType.Q8_0 or KvCacheType.Q4_0;
        bool? flash = options.FlashAttention ?? (quantised ? true : small ? false : null);
        choices.Add(new PlanChoice("flash attention", flash switch { true => "on", false => "off", _ => "auto" },
            options.FlashAttention is not null ? "as asked" : quantised ? "a quantised cache needs it" : small ? "slower for narrow heads" : "where llama.cpp can"));
        var batch = Choose("batch", options.BatchLength, small ? 512 : 64, small ? "small activations" : "prompts are computed as fast as 256 at once, in smaller buffers");
        var perToken = shape.CacheBytesPerToken(kv);
        var shared = Choose("shared cells", options.SharedCells, !small, small ? "attention looks at its own conversation only" : "conversations of any length share the room");
        var sequences = Choose("conversations", options.Sequences, small ? (int)Math.Clamp(SmallCacheBytes / Math.Max(perToken * context, 1), 1, SmallSequences) : LargeSequences,
            small ? "as many as fit 48 MB" : "kept as long as there are cells");
        var working = Clamp((batch * (double)Math.Max(shape.FeedForward, shape.Width) * sizeof(float) * LiveRows) + ((sequences + ScoreRows) * (double)shape.Vocabulary * sizeof(float) * 2));
        var cells = CellCount(options, shape, shared, context, sequences, perToken, working, choices);
        var repack = Choose("repack", options.Repack, true, $"rearranged for {machine.Instructions}");
        var drops = !small && repack && FilePages.CanDrop;
        var load = Choose("load mode", options.LoadMode, drops ? LlamaLoadMode.Map : LlamaLoadMode.Read,
            drops ? "pages are given back once repacked, and token embeddings stay in the file" : "read once: mapped and repacked, the weights would lie in memory twice");
        return new MemoryPlan
        {
            ContextLength = context,
            Sequences = sequences,
            SharedCells = shared,
            Cells = cells,
            KvCache = kv,
            FlashAttention = flash,
            LoadMode = load,
            Repack = repack,
            BatchLength = batch,
            WeightBytes = shape.WeightBytes,
            CacheBytes = Clamp(perToken * cells),
            WorkingBytes = working,
            Machine = machine,
            Choices = choices,
        };
    }

    /// <summary>Refuses before memory runs out, since the system would kill the whole program later.</summary>
    /// <exception cref="LlamaException">Less memory is free than needed.</exception>
    internal void Check(string path, long? available)
    {
        if (available is { } free && TotalBytes > free)
        {
            throw new LlamaException(
                LlamaError.OutOfMemory,
                $"{path} needs {Gigabytes(TotalBytes)} of memory (weights {Gigabytes(WeightBytes)}, context {Gigabytes(CacheBytes)}) and {Gigabytes(free)} are free: close other programs, or take a smaller quantisation or context.");
        }
    }

    /// <summary>Bytes as people read them.</summary>
    public static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB");

    private static int Context(int asked, int trained) => asked == 0 ? Math.Max(trained, 1) : trained <= 0 ? asked : Math.Min(asked, trained);

    /// <summary>More than one context's worth where the budget has room, so that several long conversations stay.</summary>
    private static int CellCount(
        LlamaOptions options, ModelShape shape, bool shared, int context, int sequences, double perToken, long working, List<PlanChoice> choices)
    {
        if (!shared)
        {
            var all = (int)Math.Min((long)context * sequences, int.MaxValue);
            choices.Add(new PlanChoice("cells", $"{all}", "each conversation has a whole context"));
            return all;
        }

        var budget = options.MemoryBudget ?? UsualBudget;
        var contexts = Math.Clamp((int)Math.Min((budget - shape.WeightBytes - working - ProgramBytes) / Math.Max(perToken * context, 1), MostContexts), 1, MostContexts);
        var cells = Math.Max((int)Math.Min((long)context * contexts, int.MaxValue), context);
        choices.Add(new PlanChoice("cells", $"{cells}", $"{contexts} x context within a budget of {Gigabytes(budget)}"));
        return cells;
    }

    private static long Clamp(double bytes) => bytes >= long.MaxValue ? long.MaxValue : (long)bytes;
}
