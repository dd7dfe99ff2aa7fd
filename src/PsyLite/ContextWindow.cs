using System.Globalization;
using Microsoft.Extensions.AI;

namespace PsyLite;

/// <summary>What of a conversation fits, and how many of its exchanges had to be left out.</summary>
internal sealed record FittedConversation(IReadOnlyList<ChatMessage> Messages, int TurnsLeftOut);

/// <summary>
/// Keeps a conversation within a model's context. The budget: room for the reply, the system messages, the newest message, and
/// of the rest as many recent exchanges as fit, each whole. What is left out is said in the prompt. When the room is full much
/// is dropped at once, so that what remains begins alike for many turns and need not be computed again.
/// </summary>
internal sealed class ContextWindow(Func<string, int> countTokens, int contextLength)
{
    /// <summary>Share of the room that is filled after dropping.</summary>
    private const double FillAfterDropping = 0.6;

    /// <summary>Marks of the chat template around one message, in tokens; measured 5 for InternLM2.</summary>
    private const int TokensPerMessage = 8;

    /// <summary>Tokens kept free for reasoning and reply, or for a judge's question, which comes behind everything else.</summary>
    public int ReplyTokens { get; } = Math.Clamp(contextLength / 3, 16, 1024);

    public FittedConversation Fit(IReadOnlyList<ChatMessage> conversation)
    {
        var lengths = conversation.Select(m => countTokens(m.Text) + TokensPerMessage).ToArray();
        var newest = conversation.Count - 1;
        while (newest > 0 && conversation[newest].Role == ChatRole.System)
        {
            newest--;
        }

        var room = contextLength - ReplyTokens - Enumerable.Range(0, newest).Where(i => conversation[i].Role == ChatRole.System).Sum(i => lengths[i]);
        var noteLength = countTokens(Note(conversation.Count)) + TokensPerMessage;
        var (start, turns) = FirstKept(conversation, lengths, newest, room, noteLength);
        var kept = Enumerable.Range(start, newest - start + 1).Where(i => i == newest || conversation[i].Role != ChatRole.System).Sum(i => lengths[i]);
        var free = room - (turns > 0 ? noteLength : 0);
        if (turns == 0 && kept <= free)
        {
            return new FittedConversation(conversation, 0);
        }

        var fitted = new List<ChatMessage>();
        for (var i = 0; i < conversation.Count; i++)
        {
            if (i == start && turns > 0)
            {
                fitted.Add(new ChatMessage(ChatRole.System, Note(turns)));
            }

            if (i == newest && kept > free)
            {
                fitted.Add(new ChatMessage(conversation[i].Role, Middle(conversation[i].Text, Math.Max(free - (kept - lengths[i]) - TokensPerMessage, 1))));
            }
            else if (i >= start || conversation[i].Role == ChatRole.System)
            {
                fitted.Add(conversation[i]);
            }
        }

        return new FittedConversation(fitted, turns);
    }

    /// <summary>
    /// Goes through the conversation as it grew, and drops where it was dropped then: so the answer holds until the next overflow,
    /// without anything being remembered.
    /// </summary>
    private static (int Start, int Turns) FirstKept(IReadOnlyList<ChatMessage> conversation, int[] lengths, int newest, int room, int noteLength)
    {
        var start = Enumerable.Range(0, newest + 1).First(i => i == newest || conversation[i].Role != ChatRole.System);
        var turns = 0;
        var total = 0;
        for (var i = 0; i <= newest; i++)
        {
            if (i < newest && conversation[i].Role == ChatRole.System)
            {
                continue;
            }

            total += lengths[i];
            var limit = room - (turns > 0 ? noteLength : 0);
            if ((i < newest && conversation[i].Role != ChatRole.User) || total <= limit)
            {
                continue;
            }

            for (var goal = (int)((room - noteLength) * FillAfterDropping); start < i && total > goal; turns++)
            {
                do
                {
                    total -= conversation[start].Role == ChatRole.System ? 0 : lengths[start];
                    start++;
                }
                while (start < i && conversation[start].Role != ChatRole.User);
            }
        }

        return (start, turns);
    }

    private static string Note(int turns) =>
        string.Create(CultureInfo.InvariantCulture, $"（篇幅有限，最早的 {turns} 轮对话没有放进来；需要时可以请对方再说一遍。）");

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
