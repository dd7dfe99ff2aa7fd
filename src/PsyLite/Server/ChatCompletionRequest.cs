using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace PsyLite.Server;

/// <summary>A request that cannot be served, with the status and the words for the caller.</summary>
internal sealed class ApiException(int status, string code, string message, string? parameter = null) : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    public string? Parameter { get; } = parameter;
}

/// <summary>
/// The parts of an OpenAI chat completion request that PsyLite uses. Read from the JSON by hand: unknown keys are ignored,
/// <c>user</c> may be a string or an object (Open WebUI), <c>content</c> a string or a list of parts.
/// </summary>
internal sealed record ChatCompletionRequest(string Model, IReadOnlyList<ChatMessage> Messages, bool Stream, bool IncludeUsage, ChatOptions Options)
{
    /// <summary>Longest message in characters; beyond it a request is refused rather than cut.</summary>
    public const int MaxMessageLength = 32_000;

    /// <summary>Most messages of one conversation.</summary>
    public const int MaxMessages = 2_000;

    /// <param name="streamByDefault">What a missing <c>stream</c> means: false for OpenAI, true for Pipelines.</param>
    /// <exception cref="ApiException">The body is not such a request.</exception>
    public static ChatCompletionRequest Parse(JsonElement body, bool streamByDefault)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("the body must be a JSON object");
        }

        var messages = ParseMessages(body);
        var stream = Flag(body, "stream") ?? streamByDefault;
        var includeUsage = body.TryGetProperty("stream_options", out var streamOptions) && streamOptions.ValueKind == JsonValueKind.Object && (Flag(streamOptions, "include_usage") ?? false);
        return new ChatCompletionRequest(String(body, "model") ?? throw Invalid("model is required", "model"), messages, stream, includeUsage, ParseOptions(body));
    }

    private static List<ChatMessage> ParseMessages(JsonElement body)
    {
        if (!body.TryGetProperty("messages", out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0)
        {
            throw Invalid("messages must be a list with at least one message", "messages");
        }

        if (list.GetArrayLength() > MaxMessages)
        {
            throw Invalid($"messages has more than {MaxMessages} entries", "messages");
        }

        var messages = new List<ChatMessage>();
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object)
            {
                throw Invalid("every message must be an object", "messages");
            }

            var role = String(item, "role") switch
            {
                "user" => ChatRole.User,
                "assistant" => ChatRole.Assistant,
                "system" or "developer" => ChatRole.System,
                "tool" or "function" => ChatRole.Tool,
                var other => throw Invalid($"the role {other ?? "(missing)"} is not known", "messages"),
            };
            var content = Content(item);
            if (content.Length > MaxMessageLength)
            {
                throw Invalid($"a message is longer than {MaxMessageLength} characters", "messages");
            }

            messages.Add(new ChatMessage(role, content));
        }

        return messages[^1].Role == ChatRole.User ? messages : throw Invalid("the last message must come from the user", "messages");
    }

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
            throw Invalid("content must be a string or a list of parts", "messages");
        }

        var text = new StringBuilder();
        foreach (var part in content.EnumerateArray())
        {
            if (part.ValueKind == JsonValueKind.Object && String(part, "type") is "text" or "input_text")
            {
                text.Append(String(part, "text"));
            }
        }

        return text.ToString();
    }

    private static ChatOptions ParseOptions(JsonElement body)
    {
        var options = new ChatOptions
        {
            Temperature = Number(body, "temperature", 0, 2),
            TopP = Number(body, "top_p", 0, 1),
            FrequencyPenalty = Number(body, "frequency_penalty", -2, 2),
            PresencePenalty = Number(body, "presence_penalty", -2, 2),
            Seed = Whole(body, "seed", long.MinValue),
            MaxOutputTokens = (Whole(body, "max_completion_tokens", 1) ?? Whole(body, "max_tokens", 1)) is { } most ? (int)Math.Min(most, int.MaxValue) : null,
        };
        if (body.TryGetProperty("stop", out var stop))
        {
            options.StopSequences = stop.ValueKind switch
            {
                JsonValueKind.String => [stop.GetString()!],
                JsonValueKind.Array => [.. stop.EnumerateArray().Where(s => s.ValueKind == JsonValueKind.String).Select(s => s.GetString()!)],
                _ => null,
            };
        }

        return options;
    }

    private static float? Number(JsonElement body, string name, double least, double most)
    {
        if (!body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most
            ? (float)number
            : throw Invalid($"{name} must be a number between {least} and {most}", name);
    }

    private static long? Whole(JsonElement body, string name, long least)
    {
        if (!body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least
            ? number
            : throw Invalid($"{name} must be a whole number of at least {least}", name);
    }

    private static bool? Flag(JsonElement body, string name) => !body.TryGetProperty(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null => null,
        _ => throw Invalid($"{name} must be true or false", name),
    };

    private static string? String(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static ApiException Invalid(string message, string? parameter = null) => new(400, "invalid_request_error", message, parameter);
}
