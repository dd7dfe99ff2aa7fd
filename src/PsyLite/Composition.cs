using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Retrieval;
using PsyLite.Agent.Risk;
using PsyLite.Engine;
using PsyLite.Engine.Remote;
using PsyLite.Options;
using PsyLite.Store;
using PsyLite.Store.Conversations;
using PsyLite.Web;

namespace PsyLite;

/// <summary>The program put together: every part is made here, by hand, once.</summary>
internal sealed class Composition : IDisposable
{
    /// <summary>A piece is worth a quarter of a second at the end of a reply, and a broken index a new look every minute.</summary>
    private static readonly TimeSpan LongestSearch = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Characters; more than a context holds, so that the window alone decides what is left out, and not another beginning every turn.
    /// </summary>
    private const int LongestHistory = 40_000;
    private readonly SqlitePassageSearch _stored;

    private Composition(
        AppOptions options, TimeProvider time, Func<Task<LoadedModel>>? load, TurnOptions? limits, IEmbeddingGenerator<string, Embedding<float>>? embedder, StoreHost? store)
    {
        Options = options;
        Time = time;
        Assessor = new RiskAssessor();
        _ = Assessor.PrepareAsync();
        Embedder = embedder is null ? InstalledEmbedder.Open(options) : new InstalledEmbedder(embedder, null, null);
        _stored = new SqlitePassageSearch(options.CrosstalkIndex, Embedder.Generator);
        (Library, LibraryProblem) = ReadLibrary(options.Crosstalk, new GuardedPassageSearch(_stored, LongestSearch, RestAfterFailure, time));
        Audit = store?.Audit ?? new AuditTrail();
        Model = new LocalModel(load ?? (() => options.Engine == EngineKind.Llama ? LoadAsync(options, time) : ConnectAsync(options, time)), options.IsBuiltInModel) { SentTo = options.SentTo };
        Pipeline = new TurnPipeline(Model, Model.LabelsAsync, Assessor, Library, Speaking(options, limits ?? Patience(options)) with { ModelHash = () => Model.Hash, ReadAhead = Model.ReadAhead }, time, store?.Desk, Audit);
        Store = store;
        Turns = new RecordedTurns(Pipeline, Assessor, Library, time);
        HelpLines = new HelpLines(new HotlineDirectory());
    }

    public AppOptions Options { get; }

    public TimeProvider Time { get; }

    public RiskAssessor Assessor { get; }

    public CrosstalkLibrary Library { get; }

    /// <summary>One line that says why there is no crosstalk; null when all is well.</summary>
    public string? LibraryProblem { get; }

    /// <summary>Finds imported pieces by meaning as well, where there is one.</summary>
    public InstalledEmbedder Embedder { get; }

    public LocalModel Model { get; }

    public TurnPipeline Pipeline { get; }

    /// <summary>Where conversations are kept; null for a command that keeps none.</summary>
    public StoreHost? Store { get; }

    /// <summary>Turns over <see cref="Pipeline"/> that are recorded as they run.</summary>
    public RecordedTurns Turns { get; }

    /// <summary>What was done for safety, turn by turn, without a word of what anybody said.</summary>
    public IAuditLog Audit { get; }

    public HelpLines HelpLines { get; }

    /// <param name="load">Loads another model than the configured file.</param>
    /// <param name="store">Keeps the audit, the calls for a person and conversations; whoever made it disposes it, after this.</param>
    public static Composition Create(
        AppOptions options, TimeProvider? time = null, Func<Task<LoadedModel>>? load = null, TurnOptions? limits = null,
        IEmbeddingGenerator<string, Embedding<float>>? embedder = null, StoreHost? store = null) =>
        new(options, time ?? TimeProvider.System, load, limits, embedder, store);

    public void Dispose()
    {
        Model.Dispose();
        _stored.Dispose();
        Embedder.Generator?.Dispose();
    }

    /// <summary>The built-in model was trained without a system prompt and speaks best without one; being small, it strays at a higher temperature.</summary>
    private static TurnOptions Speaking(AppOptions options, TurnOptions limits) => options.IsBuiltInModel
        ? limits with { SystemPrompt = null, AsksModelInDoubt = false, Temperature = limits.Temperature ?? 0.1f, LongestHistory = LongestHistory }
        : limits with { LongestHistory = LongestHistory };

    /// <summary>In this process the judge reads the history that the reply needs anyway, so waiting for it costs nothing; elsewhere it is a request of its own.</summary>
    private static TurnOptions Patience(AppOptions options)
    {
        var usual = new TurnOptions();
        return options.Engine == EngineKind.Llama ? usual with { Judge = usual.FirstToken } : usual;
    }

    /// <summary>A fault in a joke book takes the jokes away, never the conversation.</summary>
    private static (CrosstalkLibrary Library, string? Problem) ReadLibrary(string folder, IPassageSearch stored)
    {
        try
        {
            var library = CrosstalkLibrary.FromFolder(folder, stored);
            return (library, library.Pieces.Count == 0 ? $"there are no pieces in {folder}" : null);
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            return (new CrosstalkLibrary([], stored), e.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>What the configuration settles; the plan chooses the rest.</summary>
    internal static LlamaOptions EngineOptions(AppOptions options)
    {
        var threads = options.Threads > 0 ? options.Threads : (int?)null;
        return new LlamaOptions
        {
            Path = options.ModelPath,
            ContextLength = options.Context,
            Threads = threads,
            BatchThreads = threads,
            MemoryBudget = options.Memory,
            Adapters = [.. options.Lora.Select(l => new LoraFile(l.Path, l.Scale))],
        };
    }

    /// <summary>Loads the configured file; blocks for as long as that takes.</summary>
    /// <exception cref="LlamaException">It cannot be loaded here.</exception>
    internal static async Task<LoadedModel> LoadAsync(AppOptions options, TimeProvider time)
    {
        var model = LlamaModel.Load(EngineOptions(options));

        // What starting and reading the file's header left behind goes before the context is made: 5 GB are counted at their peak.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var cache = options.Cache is { } folder ? new EngineCacheOptions { Folder = folder, MaxBytes = options.CacheBytes, Clock = time } : null;
        var client = new LlamaChatClient(model, Path.GetFileNameWithoutExtension(options.ModelPath), time, cache);
        await client.Ready;
        var window = new ContextWindow(text => model.Tokenize(text).Length, model.ContextLength);
        return new LoadedModel(
            new WindowedChatClient(client, window, model),
            (conversation, labels, cancellationToken) => client.ScoreAsync(window.Fit(conversation).Messages, labels, cancellationToken),
            model.Description,
            model.Plan)
        {
            CountTokens = text => model.Tokenize(text).Length,
            Hash = FileHash.Start(options.ModelPath),
            ReadAhead = conversation => client.ReadAhead([.. window.Fit([.. conversation, new ChatMessage(ChatRole.User, "")]).Messages.SkipLast(1)]),
        };
    }

    private static async Task<LoadedModel> ConnectAsync(AppOptions options, TimeProvider time)
    {
        var client = new RemoteChatClient(
            new RemoteOptions
            {
                Protocol = options.Engine == EngineKind.Ollama ? RemoteProtocol.Ollama : RemoteProtocol.OpenAi,
                Endpoints = options.Endpoints,
                Model = options.Model,
                Key = options.EndpointKey,
                ContextLength = options.Context,
            },
            time);
        await client.Ready;

        // An engine elsewhere keeps its vocabulary to itself; hardly any Chinese character takes more than one token.
        var window = new ContextWindow(text => text.Length, options.Context);
        return new LoadedModel(
            new WindowedChatClient(client, window, client),
            (conversation, labels, cancellationToken) => client.ScoreAsync(window.Fit(conversation).Messages, labels, cancellationToken),
            client.Description)
        {
            Problem = () => client.Problem,
        };
    }
}
