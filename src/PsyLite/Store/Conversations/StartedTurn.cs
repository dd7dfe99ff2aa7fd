using PsyLite.Agent;

namespace PsyLite.Store.Conversations;

/// <summary>
/// A turn that may run while its message is still being written. What it says meanwhile is held: of a turn that is disposed before anybody read it
/// nobody has heard. Used by one caller.
/// </summary>
internal sealed class StartedTurn : IAsyncDisposable
{
    private readonly Queue<TurnEvent> _held = [];
    private readonly CancellationTokenSource _ends;
    private readonly IAsyncEnumerator<TurnEvent> _steps;
    private Task<bool>? _next;

    /// <param name="state">The risk state that the turn changes.</param>
    /// <param name="steps">The turn, not yet running.</param>
    public StartedTurn(ConversationState state, IAsyncEnumerable<TurnEvent> steps, CancellationToken cancellationToken)
    {
        State = state;
        _ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _steps = steps.GetAsyncEnumerator(_ends.Token);
    }

    public ConversationState State { get; }

    /// <summary>Lets the turn run, and holds what it says, until <paramref name="written"/> is over.</summary>
    public async Task<T> HoldAsync<T>(Task<T> written)
    {
        while (!written.IsCompleted)
        {
            _next ??= _steps.MoveNextAsync().AsTask();
            if (await Task.WhenAny(_next, written) != _next || _next is not { IsCompletedSuccessfully: true, Result: true })
            {
                break;
            }

            _held.Enqueue(_steps.Current);
            _next = null;
        }

        return await written;
    }

    /// <summary>What was held, and the rest as it comes.</summary>
    public async IAsyncEnumerable<TurnEvent> ReadAsync()
    {
        while (_held.TryDequeue(out var said))
        {
            yield return said;
        }

        while (await (_next ?? _steps.MoveNextAsync().AsTask()))
        {
            _next = null;
            yield return _steps.Current;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_next is { IsCompleted: false } running)
        {
            await _ends.CancelAsync();
            await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _steps.DisposeAsync();
        _ends.Dispose();
    }
}
