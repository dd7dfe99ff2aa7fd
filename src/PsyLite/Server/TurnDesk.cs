using System.Runtime.CompilerServices;
using PsyLite.Agent;
using PsyLite.Agent.Risk;
using PsyLite.Server.Observability;
using PsyLite.Server.Owners;

namespace PsyLite.Server;

/// <summary>
/// Where every API request for a reply arrives, whatever its dialect: let in, taken up where its conversation stands, run through the whole
/// turn, measured. What belongs to a conversation is made for each request and passed on.
/// </summary>
internal sealed class TurnDesk(TurnPipeline pipeline, ConversationReplay replay, TurnGate gate, ConversationFloors floors, RetriedTurns retried, Telemetry telemetry, RecordedDesk? recorded = null)
{
    /// <exception cref="ApiException">There is no room for it now.</exception>
    public OpenTurn Enter(ServedTurn turn, HttpContext http) => gate.Enter(turn, http.RequestAborted);

    public async IAsyncEnumerable<TurnEvent> RunAsync(ServedTurn turn, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (retried.Find(turn) is { } answered)
        {
            foreach (var e in answered)
            {
                yield return e;
            }

            yield break;
        }

        var request = replay.Rebuild(turn);
        var conversation = turn.Caller.Task is null && !TaskResponder.IsTask(request.Messages) ? turn.Caller.ConversationKey : null;
        if (conversation is not null)
        {
            floors.Apply(conversation, request);
        }

        using var measured = telemetry.Begin(turn.Surface);
        var events = new List<TurnEvent>();
        try
        {
            var steps = recorded is not null && turn.Caller.Record is not null && turn.Caller.Task is null && !TaskResponder.IsTask(request.Messages)
                ? recorded.RunAsync(turn, request, cancellationToken)
                : pipeline.RunAsync(request, cancellationToken);
            await foreach (var e in HoldPresetsAsync(turn, steps, events, measured))
            {
                yield return e;
            }
        }
        finally
        {
            if (conversation is not null && events.Count > 0)
            {
                floors.Keep(conversation, request.State);
            }
        }
    }

    private async IAsyncEnumerable<TurnEvent> HoldPresetsAsync(ServedTurn turn, IAsyncEnumerable<TurnEvent> steps, List<TurnEvent> events, MeasuredTurn measured)
    {
        await foreach (var e in steps)
        {
            events.Add(e);
            measured.Saw(e);

            // A preset comes all at once: it is whole before the caller, who may be gone, sees a word of it.
            if (events[0] is TurnEvent.Assessed { Assessment.Route: Route.Danger } && e is not TurnEvent.Completed)
            {
                continue;
            }

            if (events[0] is TurnEvent.Assessed { Assessment.Route: Route.Danger })
            {
                retried.Keep(turn, events);
                foreach (var held in events)
                {
                    yield return held;
                }

                yield break;
            }

            if (e is TurnEvent.Completed)
            {
                retried.Keep(turn, events);
            }

            yield return e;
        }
    }
}
