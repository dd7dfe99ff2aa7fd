using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace PsyLite;

/// <summary>
/// A chat client that gets only what fits its context, and no more room for the reply than is kept free; the usage of the reply
/// tells how much of the conversation was left out.
/// </summary>
/// <param name="weights">What the window counts with; let go of together with the client.</param>
internal sealed class WindowedChatClient(IChatClient inner, ContextWindow window, IDisposable weights) : DelegatingChatClient(inner)
{
    /// <summary>Additional count of a response's usage: exchanges of the conversation that the model did not see.</summary>
    public const string TurnsLeftOut = "turns_left_out";

    public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var fitted = window.Fit([.. messages]);
        await foreach (var update in base.GetStreamingResponseAsync(fitted.Messages, Bounded(options), cancellationToken))
        {
            if (update.Contents.OfType<UsageContent>().FirstOrDefault() is { } usage)
            {
                (usage.Details.AdditionalCounts ??= [])[TurnsLeftOut] = fitted.TurnsLeftOut;
            }

            yield return update;
        }
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            weights.Dispose();
        }
    }

    private ChatOptions Bounded(ChatOptions? options)
    {
        var bounded = options?.Clone() ?? new ChatOptions();
        bounded.MaxOutputTokens = Math.Min(bounded.MaxOutputTokens ?? window.ReplyTokens, window.ReplyTokens);
        return bounded;
    }
}
