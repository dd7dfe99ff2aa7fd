using System.Runtime.CompilerServices;

namespace PsyLite.Server;

/// <summary>A source that shows its silences, so that a stream can give a sign of life in them.</summary>
internal static class Heartbeat
{
    /// <summary>The items of the source, and null after <paramref name="first"/> and then each <paramref name="next"/> without one.</summary>
    public static async IAsyncEnumerable<T?> Of<T>(
        IAsyncEnumerable<T> source, TimeSpan first, TimeSpan next, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var items = source.GetAsyncEnumerator(stop.Token);
        Task<bool>? pending = null;
        try
        {
            var wait = first;
            while (true)
            {
                pending ??= items.MoveNextAsync().AsTask();
                if (!await IsDoneAsync(pending, wait, time, stop.Token))
                {
                    wait = next;
                    yield return null;
                    continue;
                }

                var hasItem = await pending;
                pending = null;
                if (!hasItem)
                {
                    break;
                }

                yield return items.Current;
            }
        }
        finally
        {
            // An enumerator may not be disposed while it runs: it is told to end and waited for.
            await stop.CancelAsync();
            if (pending is not null)
            {
                await ((Task)pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await items.DisposeAsync();
        }
    }

    private static async Task<bool> IsDoneAsync(Task pending, TimeSpan wait, TimeProvider time, CancellationToken cancellationToken)
    {
        if (pending.IsCompleted)
        {
            return true;
        }

        using var woken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var done = await Task.WhenAny(pending, Task.Delay(wait, time, woken.Token));
        await woken.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return done == pending;
    }
}
