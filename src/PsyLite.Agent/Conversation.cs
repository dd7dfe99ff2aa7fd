using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace PsyLite.Agent;

/// <summary>Builds what the model reads: our system prompt, the words of both sides, and nothing else.</summary>
internal static partial class Conversation
{
    /// <summary>Reasoning, folded blocks (crosstalk) and callers' system messages stay out; the newest user message is always whole.</summary>
    public static List<ChatMessage> ForModel(IReadOnlyList<ChatMessage> messages, int longestHistory, string? systemPrompt)
    {
        var kept = new List<ChatMessage>();
        var length = 0;
        foreach (var message in messages.Reverse())
        {
            if (message.Role != ChatRole.User && message.Role != ChatRole.Assistant)
            {
                continue;
            }

            var text = Words(message);
            if (text.Length == 0)
            {
                continue;
            }

            length += text.Length;
            if (kept.Count > 0 && length > longestHistory)
            {
                break;
            }

            kept.Add(new ChatMessage(message.Role, text));
        }

        if (systemPrompt is not null)
        {
            kept.Add(new ChatMessage(ChatRole.System, systemPrompt));
        }

        kept.Reverse();
        return kept;
    }

    /// <summary>The newest user message.</summary>
    public static string LastUserText(IReadOnlyList<ChatMessage> messages) =>
        messages.LastOrDefault(m => m.Role == ChatRole.User)?.Text ?? "";

    /// <summary>The last few user messages in one text, newest last.</summary>
    public static string RecentUserText(IReadOnlyList<ChatMessage> messages, int most) =>
        string.Join('\n', messages.Where(m => m.Role == ChatRole.User).TakeLast(most).Select(m => m.Text ?? ""));

    private static string Words(ChatMessage message)
    {
        var text = string.Concat(message.Contents.OfType<TextContent>().Select(c => c.Text));
        return message.Role == ChatRole.Assistant ? Folded().Replace(text, "").Trim() : text;
    }

    [GeneratedRegex("<think>.*?(?:</think>|$)|<details.*?(?:</details>|$)", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex Folded();
}
