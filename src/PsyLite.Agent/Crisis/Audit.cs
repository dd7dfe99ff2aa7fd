using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>What was done in a turn that matters for safety.</summary>
public enum AuditAction
{
    CrisisReply,
    HelperReply,
    Refusal,
    GuardCut,
    PlanTurn,
    ContactNamed,
    ContactConsented,
    ContactRefused,
    TicketRaised,
    TicketCleared,
}

/// <summary>One line of the audit: never a word of what anybody said. <paramref name="ModelHash"/> is null where no model spoke or none is known.</summary>
public sealed record AuditRecord(DateTimeOffset At, Tier Tier, string Rule, AuditAction Action, string? ModelHash)
{
    /// <summary>Which conversation it was; a log that outlives the conversation keeps a pseudonym instead.</summary>
    public string? ConversationId { get; init; }
}

/// <summary>Where the audit goes, outside the turn. Calls return at once; whatever an implementation throws is swallowed.</summary>
public interface IAuditLog
{
    void Write(AuditRecord record);
}

/// <summary>The newest records, in memory.</summary>
public sealed class AuditTrail(int most = 10_000) : IAuditLog
{
    private readonly Lock _lock = new();
    private readonly Queue<AuditRecord> _records = [];

    public IReadOnlyList<AuditRecord> Records
    {
        get
        {
            lock (_lock)
            {
                return [.. _records];
            }
        }
    }

    public void Write(AuditRecord record)
    {
        lock (_lock)
        {
            _records.Enqueue(record);
            if (_records.Count > most)
            {
                _records.Dequeue();
            }
        }
    }
}
