using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Engine;

namespace PsyLite;

/// <summary>How far the model has come.</summary>
internal enum ModelStatus
{
    NotStarted,
    Loading,
    Ready,
    Failed,
}

/// <summary>A model that answers, with what is known of it.</summary>
internal sealed record LoadedModel(IChatClient Client, LabelLikelihoods? Labels, string Description, MemoryPlan? Plan = null)
{
    /// <summary>Tokens of a text; null for a model elsewhere, which keeps its vocabulary to itself.</summary>
    public Func<string, int>? CountTokens { get; init; }

    /// <summary>SHA-256 of the file in hexadecimal, once it is known; null for a model elsewhere.</summary>
    public Func<string?>? Hash { get; init; }

    /// <summary>Computes a conversation that will go on, while nobody waits; null for a model elsewhere.</summary>
    public Action<IReadOnlyList<ChatMessage>>? ReadAhead { get; init; }

    /// <summary>One line that says why a model elsewhere does not answer just now, or null; null for a model here, which has been loaded.</summary>
    public Func<string?>? Problem { get; init; }
}

/// <summary>
/// The configured model as a chat client that loads on first use, or earlier by <see cref="Start"/>. A turn that needs no model
/// never touches it; a model that cannot be loaded fails the request, and the turn then speaks for itself.
/// </summary>
internal sealed class LocalModel : IChatClient
{
    private readonly Lazy<Task<LoadedModel>> _loading;
    private readonly Task _settled;
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="load">Loads the model; blocks for as long as that takes.</param>
    public LocalModel(Func<Task<LoadedModel>> load, bool isBuiltIn)
    {
        IsBuiltIn = isBuiltIn;
        _settled = _done.Task;
        _loading = new Lazy<Task<LoadedModel>>(() =>
        {
            // Reading gigabytes from disk blocks; nobody's request may wait behind it on this thread.
            var loading = Task.Run(load);

            // Only then does the status tell how it ended.
            _ = loading.ContinueWith(_ => _done.SetResult(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return loading;
        });
    }

    /// <summary>True for the small model that comes with the program.</summary>
    public bool IsBuiltIn { get; }

    /// <summary>Hosts beyond this machine that conversations are sent to; null when they stay here.</summary>
    public string? SentTo { get; init; }

    public ModelStatus Status => !_loading.IsValueCreated ? ModelStatus.NotStarted
        : !_loading.Value.IsCompleted ? ModelStatus.Loading
        : _loading.Value.IsCompletedSuccessfully ? (_loading.Value.Result.Problem?.Invoke() is null ? ModelStatus.Ready : ModelStatus.Failed)
        : ModelStatus.Failed;

    /// <summary>One line that says why there is no model; null while none is known to be missing.</summary>
    public string? Problem => !_loading.IsValueCreated || !_loading.Value.IsCompleted ? null
        : _loading.Value.IsCompletedSuccessfully ? _loading.Value.Result.Problem?.Invoke()
        : _loading.Value.Exception!.InnerException!.Message.ReplaceLineEndings(" ");

    public string? Description => Status == ModelStatus.Ready ? _loading.Value.Result.Description : null;

    /// <summary>SHA-256 of the model file in hexadecimal; null before it is known, and for a model elsewhere.</summary>
    public string? Hash => Status == ModelStatus.Ready ? _loading.Value.Result.Hash?.Invoke() : null;

    /// <summary>Tokens of a text by the loaded model; before, and for a model elsewhere, one a character, which is more than most take.</summary>
    public int CountTokens(string text) => Status == ModelStatus.Ready && _loading.Value.Result.CountTokens is { } count ? count(text) : text.Length;

    /// <summary>How the model runs here; null before it is ready, and for a model elsewhere.</summary>
    public MemoryPlan? Plan => Status == ModelStatus.Ready ? _loading.Value.Result.Plan : null;

    /// <summary>Completes when the model has loaded or failed to; never fails itself.</summary>
    public Task Settled => _settled;

    /// <summary>Lets the model read what it will be asked to continue. Never throws: it is for speed only.</summary>
    public void ReadAhead(IReadOnlyList<ChatMessage> conversation)
    {
        try
        {
            if (Status == ModelStatus.Ready)
            {
                _loading.Value.Result.ReadAhead?.Invoke(conversation);
            }
        }
        catch (Exception e) when (e is LlamaException or ObjectDisposedException)
        {
        }
    }

    /// <summary>Begins to load without waiting.</summary>
    public void Start() => _ = _loading.Value;

    public async ValueTask<IReadOnlyList<double>> LabelsAsync(
        IReadOnlyList<ChatMessage> conversation, IReadOnlyList<string> labels, CancellationToken cancellationToken)
    {
        var model = await _loading.Value.WaitAsync(cancellationToken);
        return model.Labels is { } score
            ? await score(conversation, labels, cancellationToken)
            : throw new NotSupportedException("This model does not tell likelihoods.");
    }

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var model = await _loading.Value.WaitAsync(cancellationToken);
        return await model.Client.GetResponseAsync(messages, options, cancellationToken);
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var model = await _loading.Value.WaitAsync(cancellationToken);
        await foreach (var update in model.Client.GetStreamingResponseAsync(messages, options, cancellationToken))
        {
            TokenLikelihoods.Collect(options, update);
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
        if (_loading.IsValueCreated && _loading.Value.IsCompletedSuccessfully)
        {
            _loading.Value.Result.Client.Dispose();
        }
    }
}
