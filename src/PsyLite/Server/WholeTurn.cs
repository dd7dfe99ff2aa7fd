using PsyLite.Agent;

namespace PsyLite.Server;

/// <summary>A turn whose caller waits for all of it.</summary>
internal static class WholeTurn
{
    /// <exception cref="ApiException">The server stopped before its end.</exception>
    public static async Task<TurnResult> OfAsync(IAsyncEnumerable<TurnEvent> events, OpenTurns turns, CancellationToken callerLeft, CancellationToken ends)
    {
        try
        {
            TurnResult? result = null;
            await foreach (var e in events.WithCancellation(ends))
            {
                result = (e as TurnEvent.Completed)?.Result ?? result;
            }

            return result ?? throw new InvalidOperationException("the turn ended without a result.");
        }
        catch (OperationCanceledException) when (turns.IsCut && !callerLeft.IsCancellationRequested)
        {
            throw new ApiException(503, "stopping", "the server is stopping and the reply broke off; please try again in a moment") { RetryAfter = TimeSpan.FromSeconds(5) };
        }
    }

    /// <summary>Everything that the person reads: the reply with the piece under it, or the reply in the shape that was asked for.</summary>
    public static string Text(ServedTurn turn, TurnResult result) =>
        turn.Format is { } format ? format.Render(result.Reply) : result.Reply + (result.Crosstalk is { } piece ? CrosstalkFold.Render(piece) : "");
}
