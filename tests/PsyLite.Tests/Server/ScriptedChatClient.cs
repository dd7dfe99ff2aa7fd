using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PsyLite.Tests.Server;

/// <summary>A chat client that says what a test tells it to, piece by piece, and remembers what it was asked.</summary>
internal sealed class ScriptedChatClient(Func<IReadOnlyList<ChatMessage>, IEnumerable<string>> script) : IChatClient
{
    private int _calls;

    public int Calls => _calls;

    /// <summary>Pause before each piece.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.Zero;

    /// <summary>Likelihoods that come with a piece, for requests that ask for them.</summary>
    public Func<string, JsonArray>? Likelihoods { get; init; }

    public IReadOnlyList<ChatMessage> LastMessages { get; private set; } = [];

    /// <summary>Completes when a request was cancelled.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static ScriptedChatClient Saying(params string[] pieces) => new(_ => pieces);

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _calls);
        IReadOnlyList<ChatMessage> asked = [.. messages];
        LastMessages = asked;
        var count = 0;
        try
        {
            foreach (var piece in script(asked))
            {
                await Task.Delay(Pause, cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
                count++;
                var update = new ChatResponseUpdate(ChatRole.Assistant, piece);
                if (Likelihoods is not null && options?.AdditionalProperties?.ContainsKey(TokenLikelihoods.Alternatives) == true)
                {
                    update.AdditionalProperties = new() { [TokenLikelihoods.Property] = Likelihoods(piece) };
                }

                yield return update;
            }
        }
        finally
        {
            // A callback on the token could be taken back before it runs: the delay above is woken first.
            if (cancellationToken.IsCancellationRequested)
            {
                Cancelled.TrySetResult();
            }
        }

        yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(new UsageDetails { InputTokenCount = asked.Sum(m => m.Text.Length), OutputTokenCount = count })])
        {
            FinishReason = ChatFinishReason.Stop,
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
