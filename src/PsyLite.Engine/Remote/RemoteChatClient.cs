using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PsyLite.Models.Text;

namespace PsyLite.Engine.Remote;

/// <summary>
/// An engine elsewhere, behind one endpoint or several alike: chat client and label scorer. A request that fails before its first token
/// goes to another endpoint; one that fails later fails, since what was said cannot be taken back.
/// </summary>
public sealed class RemoteChatClient : IChatClient, ILabelScorer, IAsyncDisposable
{
    /// <summary>Name among <see cref="ChatOptions.AdditionalProperties"/> of a text that is the same whenever this very request is repeated.</summary>
    public const string OnceKey = "idempotencyKey";
    private readonly RemoteOptions options;
    private readonly TimeProvider time;
    private readonly IRemoteProtocol protocol;
    private readonly RemoteHttp http;
    private readonly EndpointPool pool;
    private bool isDisposed;

    public RemoteChatClient(RemoteOptions options, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(options.Endpoints.Count);
        (this.options, this.time) = (options, time ?? TimeProvider.System);
        protocol = options.Protocol == RemoteProtocol.Ollama ? new OllamaProtocol(options.ContextLength) : new OpenAiProtocol();
        http = new RemoteHttp(options, this.time);
        pool = new EndpointPool(options, this.time, ProbeAsync);
    }

    /// <summary>Done when every endpoint has been looked at once; requests may come before.</summary>
    public Task Ready => pool.FirstLook;

    /// <summary>One line that says that no endpoint serves; null when one does.</summary>
    public string? Problem => pool.Problem;

    /// <summary>Model, protocol and hosts.</summary>
    public string Description => $"{pool.Endpoints.Select(e => e.Model).FirstOrDefault(m => m is not null) ?? "?"} ({options.Protocol}: {options.Hosts})";

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? chat = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, chat, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? chat = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var conversation = RemoteMessage.From(messages, chat?.Instructions);
        var responseId = Guid.NewGuid().ToString("N");
        await using var reply = await pool.RunAsync(
            Affinity(conversation),
            (endpoint, token) => RemoteReply.OpenAsync(endpoint, http, protocol, Bytes(protocol.Chat(conversation, chat, ModelOf(endpoint))), options, time, token, chat?.AdditionalProperties?.GetValueOrDefault(OnceKey) as string),
            cancellationToken);
        var splitter = new ThinkSplitter();
        ChatFinishReason? finish = null;
        UsageDetails? usage = null;
        ChatResponseUpdate Update(params IList<AIContent> contents) =>
            new(ChatRole.Assistant, contents) { ResponseId = responseId, MessageId = responseId, ModelId = reply.Endpoint.Model, CreatedAt = time.GetUtcNow() };
        do
        {
            (finish, usage) = (reply.Current.Finish ?? finish, reply.Current.Usage ?? usage);
            if (Contents(reply.Current.Reasoning, splitter.Push(reply.Current.Text)) is { Count: > 0 } contents)
            {
                yield return Update(contents);
            }
        }
        while (await MoveAsync(reply));
        var last = Update([.. Contents("", splitter.Finish()), .. usage is null ? (AIContent[])[] : [new UsageContent(usage)]]);
        last.FinishReason = finish ?? ChatFinishReason.Stop;
        yield return last;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Reads the likelihoods of the first token; from an endpoint that tells none, the label that it chooses when it may say nothing
    /// else counts as certain. Anything else is a failure: the continuations must differ in their first token.
    /// </remarks>
    public async ValueTask<IReadOnlyList<double>> ScoreAsync(
        IReadOnlyList<ChatMessage> conversation, IReadOnlyList<string> continuations, CancellationToken cancellationToken = default)
    {
        if (continuations.Count == 0)
        {
            return [];
        }

        var messages = RemoteMessage.From(conversation);
        return await pool.RunAsync(Affinity(messages), (endpoint, token) => LabelsAsync(endpoint, messages, continuations, token), cancellationToken);
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata(options.Protocol.ToString(), options.Endpoints[0], options.Model)
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    public void Dispose() => _ = DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        if (!Interlocked.Exchange(ref isDisposed, true))
        {
            await pool.DisposeAsync();
            http.Dispose();
        }
    }

    private static byte[] Bytes(JsonObject body) => JsonSerializer.SerializeToUtf8Bytes(body, Json.Readable);

    /// <summary>A conversation keeps its first messages.</summary>
    private static int Affinity(IReadOnlyList<RemoteMessage> conversation) => conversation.FirstOrDefault(m => m.Role == "user")?.Content.GetHashCode(StringComparison.Ordinal) ?? 0;

    private static List<AIContent> Contents(string reasoning, ThinkDelta delta)
    {
        var contents = new List<AIContent>(2);
        if (reasoning.Length + delta.Reasoning.Length > 0)
        {
            contents.Add(new TextReasoningContent(reasoning + delta.Reasoning));
        }

        if (delta.Content.Length > 0)
        {
            contents.Add(new TextContent(delta.Content));
        }

        return contents;
    }

    private static string ModelOf(Endpoint endpoint) =>
        endpoint.Model ?? throw new RemoteException($"{endpoint.Address.Authority} has named no model yet: name one with --model, or wait until it answers.");

    private async Task<bool> MoveAsync(RemoteReply reply)
    {
        try
        {
            return await reply.MoveAsync();
        }
        catch (RemoteException fault)
        {
            await reply.Endpoint.BlameAsync(fault);
            throw;
        }
    }

    private async Task ProbeAsync(Endpoint endpoint, CancellationToken cancellationToken)
    {
        using var listing = await http.AskAsync(endpoint, protocol.ProbeAddress(endpoint.Address), null, options.Connect, cancellationToken);
        endpoint.Found(protocol.FirstModel(listing.RootElement));
    }

    private async Task<IReadOnlyList<double>> LabelsAsync(Endpoint endpoint, IReadOnlyList<RemoteMessage> messages, IReadOnlyList<string> labels, CancellationToken cancellationToken)
    {
        using var lease = endpoint.Enter();
        if (!endpoint.ChoosesOnly && await LikelihoodsAsync(endpoint, messages, labels, cancellationToken) is { } likelihoods)
        {
            return likelihoods;
        }

        using var answer = await http.AskAsync(
            endpoint, protocol.ChatAddress(endpoint.Address), Bytes(protocol.ChoiceRequest(messages, labels, ModelOf(endpoint))), options.FirstToken, cancellationToken);
        var said = protocol.Choice(answer.RootElement)?.Trim();
        return labels.Contains(said)
            ? [.. labels.Select(label => label == said ? 0d : double.NegativeInfinity)]
            : throw new RemoteException($"{endpoint.Address.Authority} answered the judge's question with something else than a label.") { IsRequestFault = true };
    }

    /// <summary>Null when the endpoint tells no likelihoods, or none of a label.</summary>
    private async Task<IReadOnlyList<double>?> LikelihoodsAsync(Endpoint endpoint, IReadOnlyList<RemoteMessage> messages, IReadOnlyList<string> labels, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.AskAsync(
                endpoint, protocol.ChatAddress(endpoint.Address), Bytes(protocol.LikelihoodRequest(messages, ModelOf(endpoint))), options.FirstToken, cancellationToken);
            var tokens = protocol.FirstToken(answer.RootElement);
            endpoint.ChoosesOnly = tokens.Count == 0;
            return LabelReading.Read(tokens, labels);
        }
        catch (RemoteException fault) when (fault.IsRequestFault)
        {
            // It does not know the request; it may still be able to choose.
            endpoint.ChoosesOnly = true;
            return null;
        }
    }
}
