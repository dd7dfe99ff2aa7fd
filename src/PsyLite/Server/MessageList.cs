using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace PsyLite.Server;

/// <summary>The <c>messages</c> of a chat request, which OpenAI, Ollama and Open WebUI write almost alike.</summary>
internal static class MessageList
{
    /// <summary>Longest message in characters; beyond it a request is refused rather than cut.</summary>
    public const int MaxMessageLength = 32_000;

    /// <summary>Most messages of one conversation.</summary>
    public const int MaxMessages = 2_000;

    /// <exception cref="ApiException">They are not a conversation whose last word is the user's.</exception>
    public static IReadOnlyList<ChatMessage> Parse(JsonElement body)
    {
        var messages = ParseAny(body);
        return messages.Count == 0 ? throw ApiException.Invalid("messages must be a list with at least one message", "messages")
            : messages[^1].Role != ChatRole.User ? throw ApiException.Invalid("the last message must come from the user", "messages")
            : messages;
    }

    /// <summary>Every message of the list, whoever spoke last; empty where there is none.</summary>
    public static List<ChatMessage> ParseAny(JsonElement body)
    {
        if (!body.TryGetProperty("messages", out var list) || list.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        if (list.ValueKind != JsonValueKind.Array)
        {
            throw ApiException.Invalid("messages must be a list with at least one message", "messages");
        }

        if (list.GetArrayLength() > MaxMessages)
        {
            throw ApiException.Invalid($"messages has more than {MaxMessages} entries", "messages");
        }

        return [.. list.EnumerateArray().Select(Message)];
    }

    /// <summary>One message of a user, with the same limits.</summary>
    public static ChatMessage OfUser(string text) => new(ChatRole.User, Bounded(text));

    private static ChatMessage Message(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Invalid("every message must be an object", "messages");
        }

        var role = JsonBody.Text(item, "role") switch
        {
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            "system" or "developer" => ChatRole.System,
            "tool" or "function" => ChatRole.Tool,
            _ => throw ApiException.Invalid("the role of a message must be user, assistant, system or tool", "messages"),
        };
        return new ChatMessage(role, Bounded(Content(item)));
    }

    private static string Bounded(string text) => text.Length <= MaxMessageLength
        ? text
        : throw ApiException.Invalid($"a message is longer than {MaxMessageLength} characters", "messages");

    /// <summary>The words of a message; pictures and other parts are left out.</summary>
    private static string Content(JsonElement message)
    {
        if (!message.TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.Null)
        {
            return "";
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            return content.GetString()!;
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            throw ApiException.Invalid("content must be a text or a list of parts", "messages");
        }

        var text = new StringBuilder();
        foreach (var part in content.EnumerateArray())
        {
            if (part.ValueKind == JsonValueKind.Object && JsonBody.Text(part, "type") is "text" or "input_text")
            {
                text.Append(JsonBody.Text(part, "text"));
            }
        }

        return text.ToString();
    }
}
