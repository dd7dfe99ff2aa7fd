using System.Text.Json;

namespace PsyLite.Server;

/// <summary>
/// Who calls and for which conversation, as far as headers and body say. None of it is proof of anything: it keeps conversations apart and
/// recognises them again, and is never needed for a turn to be safe.
/// </summary>
/// <param name="User">User of the front end, or the address that the request came from.</param>
/// <param name="ConversationId">The front end's name for the conversation; null where it tells none.</param>
/// <param name="Task">The front end's name for a side task, such as title_generation; null for a person's own turn.</param>
/// <param name="Attempt">Names a request that its client may send again; null for a first attempt without such a name.</param>
/// <param name="IsRetry">The client says that it has sent this request before.</param>
/// <param name="IsOpenWebUi">Status events will be shown to the person.</param>
/// <param name="Owner">Whose the conversation is: unlike the names above it rests on the key that was shown.</param>
/// <param name="Record">The caller's name for a conversation that is to be recorded; null where the caller keeps it.</param>
internal sealed record Caller(string User, string? ConversationId, string? Task, string? Attempt, bool IsRetry, bool IsOpenWebUi, string Owner, string? Record)
{
    private const int LongestName = 200;

    /// <summary>Key of the conversation among all callers; null where it has no name.</summary>
    public string? ConversationKey => ConversationId is null ? null : $"{User}\n{ConversationId}";

    public static Caller Of(HttpContext http, JsonElement body)
    {
        var headers = http.Request.Headers;
        var metadata = JsonBody.Object(body, "metadata");
        var userObject = JsonBody.Object(body, "user");
        var chat = Name(JsonBody.Text(body, "chat_id"), metadata is { } m ? JsonBody.Text(m, "chat_id") : null, headers["X-OpenWebUI-Chat-Id"]);
        var user = Name(
            headers["X-OpenWebUI-User-Id"],
            userObject is { } u ? JsonBody.Text(u, "id") : JsonBody.Text(body, "user"),
            metadata is { } n ? JsonBody.Text(n, "user_id") : null);
        var task = Name(JsonBody.Text(body, "task"), metadata is { } t ? JsonBody.Text(t, "task") : null, headers["X-OpenWebUI-Task"]);
        var isRetry = int.TryParse(headers["X-Stainless-Retry-Count"], out var retries) && retries > 0;
        var account = http.User.Identity is { IsAuthenticated: true } ? Accounts.Owner.Of(http.User) : null;
        return new Caller(
            account is not null ? $"{account}|{user}" : user ?? http.Connection.RemoteIpAddress?.ToString() ?? "",
            chat,
            task,
            Name(JsonBody.Text(body, "turn_id"), headers["Idempotency-Key"]),
            isRetry,
            userObject is not null || chat is not null,
            Accounts.Owner.Of(http.User, user),
            Name(JsonBody.Text(body, "conversation_id"), metadata is { } r ? JsonBody.Text(r, "conversation_id") : null, headers["X-PsyLite-Conversation"]));
    }

    /// <summary>The first of these that is a name; an overlong one is none.</summary>
    private static string? Name(params ReadOnlySpan<string?> candidates)
    {
        foreach (var candidate in candidates)
        {
            if (candidate is { Length: > 0 and <= LongestName })
            {
                return candidate;
            }
        }

        return null;
    }
}
