using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Risk;

namespace PsyLite.Server;

/// <summary>
/// The least risk that conversations of front ends are known to be at. The history that comes with a request tells almost everything, but
/// front ends shorten it and people delete what they regret having said: where a conversation has a name, danger seen in it is not
/// forgotten with the message. Values, never text; in memory only; each request gets a copy.
/// </summary>
internal sealed class ConversationFloors(RiskAssessor assessor, TimeProvider time)
{
    private const int Most = 10_000;
    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);
    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, Floor> _floors = [];

    /// <summary>Puts what is known into a state that was just rebuilt.</summary>
    public void Apply(string conversation, TurnRequest request)
    {
        var state = request.State;
        Floor? known;
        lock (_lock)
        {
            known = _floors.GetValueOrDefault(conversation);
        }

        if (known is not { } floor || time.GetUtcNow() - floor.At > Kept)
        {
            return;
        }

        // Danger that the request shows by itself is answered as it stands there: as news, with the help lines, if no answer to it is in
        // the history, as when a reply is asked for again.
        var shown = assessor.Assess(request.Messages);
        state.Tier = shown.Route == Route.Danger && Severity.Of(shown.Tier) >= Severity.Of(floor.Tier) ? state.Tier : floor.Tier;
        state.AwaitsClearing = floor.AwaitsClearing;
        state.LastRiskAt = floor.LastRiskAt;
        state.LastDangerAt = floor.LastDangerAt;
        state.Ticket = floor.Ticket;
        state.Episodes = floor.Episodes;
        state.HumourRefused = floor.HumourRefused;
        state.Region = floor.Region;
        state.CheckedInAt = floor.CheckedInAt;
        state.OfferedCrosstalk.UnionWith(floor.OfferedCrosstalk);
    }

    /// <summary>Remembers where a turn left its conversation.</summary>
    public void Keep(string conversation, ConversationState state)
    {
        var floor = new Floor(
            time.GetUtcNow(), state.Tier, state.AwaitsClearing, state.LastRiskAt, state.LastDangerAt, state.Ticket, state.Episodes,
            state.HumourRefused, state.Region, state.CheckedInAt, [.. state.OfferedCrosstalk]);
        lock (_lock)
        {
            _floors.Remove(conversation);
            _floors.Add(conversation, floor);
            if (_floors.Count > Most)
            {
                _floors.RemoveAt(0);
            }
        }
    }

    private sealed record Floor(
        DateTimeOffset At, Tier Tier, bool AwaitsClearing, DateTimeOffset? LastRiskAt, DateTimeOffset? LastDangerAt, TakeoverTicket? Ticket,
        int Episodes, bool HumourRefused, string? Region, DateTimeOffset? CheckedInAt, IReadOnlyList<string> OfferedCrosstalk);
}
