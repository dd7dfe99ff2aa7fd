using PsyLite.Store.Conversations;

namespace PsyLite.Store.Sql;

// Times are Unix milliseconds, so that both databases sort them alike. Nothing that a person wrote, and nothing that was judged of them,
// stands in a column by itself: it is inside Head, State, Body, Pending or Settings, which are sealed.

internal sealed class OwnerRow
{
    public required string Id { get; set; }

    public required long Created { get; set; }

    public byte[]? Settings { get; set; }
}

internal sealed class ConversationRow
{
    public required string Id { get; set; }

    public required string OwnerId { get; set; }

    public required long Created { get; set; }

    public required long Updated { get; set; }

    /// <summary>Grows with every change of the conversation or its messages: two writers cannot both have read the same.</summary>
    public long Version { get; set; }

    public required byte[] Head { get; set; }

    public required byte[] State { get; set; }
}

internal sealed class MessageRow
{
    public required string ConversationId { get; set; }

    public required int Ordinal { get; set; }

    public required string TurnId { get; set; }

    public required Author Author { get; set; }

    public required MessageStage Stage { get; set; }

    public required long At { get; set; }

    public byte[]? Body { get; set; }

    /// <summary>Of a reply that is not there yet: the risk state that its turn came to.</summary>
    public byte[]? Pending { get; set; }
}

internal sealed class DataKeyRow
{
    public required string Id { get; set; }

    public required string MasterId { get; set; }

    public required byte[] Wrapped { get; set; }
}

internal enum OwnerRecordKind
{
    CheckIn = 0,
    Consent = 1,
}

internal sealed class OwnerRecordRow
{
    public required string Id { get; set; }

    public required string OwnerId { get; set; }

    public required OwnerRecordKind Kind { get; set; }

    public required long At { get; set; }

    public required byte[] Body { get; set; }
}

internal sealed class TicketRow
{
    public required string Id { get; set; }

    public required string ConversationId { get; set; }

    public required long At { get; set; }

    public required byte[] Body { get; set; }
}

internal sealed class AuditRow
{
    public required long Sequence { get; set; }

    public required long At { get; set; }

    public required string Tier { get; set; }

    public required string Rule { get; set; }

    public required string Action { get; set; }

    public string? ModelHash { get; set; }

    public string? Conversation { get; set; }

    public required byte[] Hash { get; set; }
}

/// <summary>What the store knows of itself, such as the id of the master key in force.</summary>
internal sealed class FactRow
{
    public required string Name { get; set; }

    public required string Value { get; set; }
}

internal sealed class AccountRow
{
    public required string Id { get; set; }

    /// <summary>Keyed hash of the name.</summary>
    public required string Name { get; set; }

    public long Version { get; set; }

    public required byte[] Body { get; set; }
}

internal sealed class ApiKeyRow
{
    public required string Id { get; set; }

    public required string AccountId { get; set; }

    public required long Created { get; set; }

    public required byte[] Body { get; set; }
}

/// <summary>A counsellor who has taken a conversation over.</summary>
internal sealed class TakeoverRow
{
    public required string ConversationId { get; set; }

    /// <summary>Id of an account, or of the person at this machine.</summary>
    public required string Counsellor { get; set; }

    public required long At { get; set; }
}
