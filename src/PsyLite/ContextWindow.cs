using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace PsyLite;

/// <summary>
/// Keeps a conversation within a model's context: the system messages and the newest message always stay, the oldest others go, a few
/// at a time so that what remains begins alike for several turns and need not be computed again.
/// </summary>
internal sealed class ContextWindow(Func<string, int> countTokens, int contextLength)
{
    /// <summary>Messages dropped together.</summary>
    private const int Step = 4;

    /// <summary>Marks of the chat template around one message, in tokens; measured 5 for InternLM2.</summary>
    private const int TokensPerMessage = 8;

    /// <summary>Tokens kept free for reasoning and reply.</summary>
    public int ReplyTokens { get; } = Math.Clamp(contextLength / 3, 16, 1024);

    public IReadOnlyList<ChatMessage> Fit(IReadOnlyList<ChatMessage> conversation)
    {
        var room = contextLength - ReplyTokens;
        var lengths = conversation.Select(m => countTokens(m.Text) + TokensPerMessage).ToList();
        var newest = conversation.Count - 1;
        while (newest > 0 && conversation[newest].Role == ChatRole.System)
        {
            newest--;
        }

        var total = lengths.Sum();
        var dropped = new HashSet<int>();
        var old = Enumerable.Range(0, newest).Where(i => conversation[i].Role != ChatRole.System).ToList();
        foreach (var group in old.Chunk(Step).TakeWhile(_ => total > room))
        {
            dropped.UnionWith(group);
            total -= group.Sum(i => lengths[i]);
        }

        if (total <= room)
        {
            return dropped.Count == 0 ? conversation : [.. conversation.Where((_, i) => !dropped.Contains(i))];
        }

        var rest = Math.Max(room - (total - lengths[newest]) - TokensPerMessage, 1);
        return [.. conversation.Select((m, i) => i == newest ? new ChatMessage(m.Role, Middle(m.Text, rest)) : m).Where((_, i) => !dropped.Contains(i))];
    }

    /// <summary>Beginning and end of a text that is too long by itself.</summary>
    private string Middle(string text, int tokens)
    {
        var keep = text.Length;
        string Cut() => keep >= text.Length ? text : $"{text[..(keep / 2)]}……{text[^(keep - (keep / 2))..]}";
        while (keep > 2 && countTokens(Cut()) > tokens)
        {
            keep = keep * 3 / 4;
        }

        return Cut();
    }
}

/// <summary>A chat client that gets only what fits its context, and no more room for the reply than is kept free.</summary>
/// <param name="weights">What the window counts with; let go of together with the client.</param>
internal sealed class WindowedChatClient(IChatClient inner, ContextWindow window, IDisposable weights) : DelegatingChatClient(inner)
{
    public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        base.GetResponseAsync(window.Fit([.. messages]), Bounded(options), cancellationToken);

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var update in base.GetStreamingResponseAsync(window.Fit([.. messages]), Bounded(options), cancellationToken))
        {
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
