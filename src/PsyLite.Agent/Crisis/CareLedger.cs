using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>Writes audit records and raises tickets; no fault of a host's desk or log reaches a turn.</summary>
internal sealed class CareLedger(ITakeoverDesk desk, IAuditLog audit, TimeProvider time, Func<string?> modelHash)
{
    public void Note(ConversationState state, Tier tier, string rule, AuditAction action, bool spokeModel = false) =>
        Guarded(() => audit.Write(new AuditRecord(time.GetUtcNow(), tier, rule, action, spokeModel ? modelHash() : null) { ConversationId = state.Id }));

    /// <summary>The ticket of this turn: one per episode, again only when the danger has grown. Null when none is due.</summary>
    public TakeoverTicket? Raise(ConversationState state, RiskVerdict verdict)
    {
        var tier = verdict.After.Tier;
        if (!Severity.NeedsPerson(tier) || (state.Ticket is { } open && Severity.Of(tier) <= Severity.Of(open.Tier)) || WasRaisedBefore(state, verdict))
        {
            return null;
        }

        state.Episodes += state.Ticket is null ? 1 : 0;
        var rules = verdict.Assessment.Signals.Select(s => s.Rule).Distinct().ToList();
        var ticket = new TakeoverTicket($"{state.Id}-{state.Episodes}", state.Id, tier, time.GetUtcNow(), rules);
        state.Ticket = ticket;
        Guarded(() => desk.Raise(ticket));
        Note(state, tier, string.Join(' ', rules), AuditAction.TicketRaised);
        return ticket;
    }

    public void Clear(ConversationState state)
    {
        var (ticket, tier) = (state.Ticket, state.Tier);
        state.ClearedByPerson();
        if (ticket is not null)
        {
            Guarded(() => desk.Close(ticket.Id));
        }

        Note(state, tier, "person", AuditAction.TicketCleared);
    }

    /// <summary>A caller without a state sends the history again: the turn in it that first needed a person had its ticket then.</summary>
    private static bool WasRaisedBefore(ConversationState state, RiskVerdict verdict) =>
        state.Ticket is null && verdict.LastRiskTurn is not null
        && Severity.NeedsPerson(verdict.Before.Tier) && Severity.Of(verdict.After.Tier) <= Severity.Of(verdict.Before.Tier);

    private static void Guarded(Action call)
    {
        try
        {
            call();
        }
        catch (Exception)
        {
            // The boundary to the host's parts: a desk or log that is down may not take the reply away.
        }
    }
}
