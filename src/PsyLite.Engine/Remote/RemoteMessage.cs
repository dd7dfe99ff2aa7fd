using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PsyLite.Engine.Remote;

/// <summary>A message as any chat template takes it.</summary>
internal sealed record RemoteMessage(string Role, string Content)
{
    /// <summary>
    /// One system message in front, then user and assistant in turns: many templates refuse anything else. A system message in
    /// between becomes the user's, neighbours of one role become one message, and reasoning is never sent back.
    /// </summary>
    public static IReadOnlyList<RemoteMessage> From(IEnumerable<ChatMessage> messages, string? instructions = null)
    {
        var result = new List<RemoteMessage>();
        if (!string.IsNullOrEmpty(instructions))
        {
            result.Add(new RemoteMessage("system", instructions));
        }

        foreach (var message in messages)
        {
            var isFirst = result.Count == 0 || result is [{ Role: "system" }];
            var role = message.Role == ChatRole.Assistant ? "assistant" : message.Role == ChatRole.System && isFirst ? "system" : "user";
            if (result is [.., var last] && last.Role == role)
            {
                result[^1] = last with { Content = $"{last.Content}\n\n{message.Text}" };
            }
            else
            {
                result.Add(new RemoteMessage(role, message.Text));
            }
        }

        return result;
    }

    public static JsonArray ToJson(IEnumerable<RemoteMessage> messages) =>
        [.. messages.Select(m => (JsonNode)new JsonObject { ["role"] = m.Role, ["content"] = m.Content })];
}
