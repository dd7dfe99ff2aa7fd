namespace PsyLite.Agent.Retrieval;

/// <summary>
/// Keeps a turn safe from a search on disk: whatever goes wrong, and however slow the disk is, the answer is "nothing found" within
/// <paramref name="limit"/>. After a failure the search is left alone for <paramref name="rest"/>, and while one hangs no other starts.
/// </summary>
public sealed class GuardedPassageSearch(IPassageSearch inner, TimeSpan limit, TimeSpan rest, TimeProvider time) : IPassageSearch
{
    private long _failedAt;
    private int _hanging;

    /// <summary>Why the last search found nothing; null while all is well.</summary>
    public string? Problem { get; private set; }

    public async ValueTask<IReadOnlyList<PassageHit>> SearchAsync(string words, int most, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Volatile.Read(ref _hanging) > 0 || (Problem is not null && time.GetElapsedTime(Volatile.Read(ref _failedAt)) < rest))
        {
            return [];
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // File access blocks its thread and cannot be cancelled, so it gets a thread of its own that the turn can walk away from; one of
        // the pool's would be missing elsewhere while a disk hangs.
        var search = Task.Factory.StartNew(
            () => inner.SearchAsync(words, most, stop.Token).AsTask(), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        try
        {
            var hits = await search.WaitAsync(limit, time, cancellationToken);
            Problem = null;
            return hits;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (TimeoutException)
        {
            Interlocked.Increment(ref _hanging);
            _ = search.ContinueWith(_ => Interlocked.Decrement(ref _hanging), TaskScheduler.Default);
            return Failed("the search took too long");
        }
        catch (Exception e)
        {
            // A joke is never worth a turn: every fault of the index has the same meaning here.
            return Failed(e.Message);
        }
        finally
        {
            await stop.CancelAsync();
        }
    }

    private IReadOnlyList<PassageHit> Failed(string problem)
    {
        Volatile.Write(ref _failedAt, time.GetTimestamp());
        Problem = problem.ReplaceLineEndings(" ");
        return [];
    }
}
