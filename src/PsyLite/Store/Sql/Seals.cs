using PsyLite.Store.Conversations;

namespace PsyLite.Store.Sql;

/// <summary>
/// What sealed bytes are bound to: the record, its place and its owner. A row that is put in another's place does not open there.
/// Changing a word of these makes every earlier record unreadable.
/// </summary>
internal static class Seals
{
    public const string AuditKey = "audit";
    public const string AccountsKey = "accounts";

    /// <summary>Of what browsers carry: sessions and the tokens of forms.</summary>
    public const string SessionsKey = "sessions";

    public static string ConversationKey(string conversation) => $"conversation {conversation}";

    public static string OwnerKey(string owner) => $"owner {owner}";

    public static string Head(string conversation, string owner) => $"head|{conversation}|{owner}";

    public static string State(string conversation) => $"state|{conversation}";

    public static string Body(string conversation, string turn, int ordinal, Author author) => $"body|{conversation}|{turn}|{ordinal}|{(int)author}";

    public static string Pending(string conversation, string turn) => $"pending|{conversation}|{turn}";

    public static string Ticket(string ticket, string conversation) => $"ticket|{conversation}|{ticket}";

    public static string Account(string account) => $"account|{account}";

    public static string ApiKey(string key, string account) => $"api key|{account}|{key}";

    public static string Settings(string owner) => $"settings|{owner}";

    public static string Record(string record, string owner, OwnerRecordKind kind) => $"record|{owner}|{record}|{(int)kind}";
}
