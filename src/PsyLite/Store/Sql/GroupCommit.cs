using Microsoft.EntityFrameworkCore;

namespace PsyLite.Store.Sql;

/// <summary>
/// Where only one may write at a time: what waits while the disk is busy is written in one transaction, in the order in which it came, so that the
/// disk is waited for once and not once for each. Nobody hears of a write before it is durable. One write that fails is taken back by itself; should
/// the commit fail, all of it did. Safe to share.
/// </summary>
/// <param name="enter">Waits for the right to write.</param>
internal sealed class GroupCommit(Func<CancellationToken, Task<IDisposable>> enter, IDbContextFactory<StoreContext> contexts)
{
    /// <summary>Writes in one transaction: the first of them waits for the last.</summary>
    private const int MostTogether = 64;
    private const string Mark = "job";
    private readonly Lock _lock = new();
    private readonly Queue<Job> _waiting = [];
    private bool _isWriting;

    /// <summary>Gives what <paramref name="write"/> gave once its transaction is on the disk.</summary>
    public Task<T> WriteAsync<T>(Func<StoreContext, Task<T>> write, CancellationToken cancellationToken)
    {
        var job = new Job<T>(write, cancellationToken);
        lock (_lock)
        {
            _waiting.Enqueue(job);
            if (_isWriting)
            {
                return job.Result;
            }

            _isWriting = true;
        }

        _ = WriteWaitingAsync();
        return job.Result;
    }

    private async Task WriteWaitingAsync()
    {
        await WriteGroupAsync();
        while (HasMore())
        {
            // The thread that came first has what it came for; another one writes for those who came after it.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await WriteGroupAsync();
        }
    }

    private async Task WriteGroupAsync()
    {
        using var entered = await enter(CancellationToken.None);
        var group = Take();
        try
        {
            await WriteAsync(group);
            group.ForEach(job => job.Finish(null));
        }
        catch (Exception fault)
        {
            // Each of those who wait has a boundary of its own; the next group may succeed.
            group.ForEach(job => job.Finish(fault));
        }
    }

    private bool HasMore()
    {
        lock (_lock)
        {
            return _isWriting = _waiting.Count > 0;
        }
    }

    private List<Job> Take()
    {
        lock (_lock)
        {
            var group = new List<Job>();
            while (group.Count < MostTogether && _waiting.TryDequeue(out var job))
            {
                group.Add(job);
            }

            return group;
        }
    }

    private async Task WriteAsync(List<Job> group)
    {
        await using var db = contexts.CreateDbContext();

        // What a write leaves half done is taken back here; within a write nobody goes on after a failure.
        db.Database.AutoSavepointsEnabled = false;
        await using var transaction = await db.Database.BeginTransactionAsync();
        if (group is [var alone])
        {
            if (await TryAsync(alone, db))
            {
                await transaction.CommitAsync();
            }

            return;
        }

        foreach (var job in group)
        {
            await transaction.CreateSavepointAsync(Mark);
            if (!await TryAsync(job, db))
            {
                await transaction.RollbackToSavepointAsync(Mark);
            }

            await transaction.ReleaseSavepointAsync(Mark);
        }

        await transaction.CommitAsync();
    }

    private static async Task<bool> TryAsync(Job job, StoreContext db)
    {
        try
        {
            await job.RunAsync(db);
            await db.SaveChangesAsync();
            return true;
        }
        catch (Exception fault)
        {
            // The writer's own fault, handed to it and to nobody else.
            job.Fail(fault);
            return false;
        }
        finally
        {
            // What one write has read and changed is no business of the next.
            db.ChangeTracker.Clear();
        }
    }

    private abstract class Job
    {
        public abstract Task RunAsync(StoreContext db);

        public abstract void Fail(Exception fault);

        /// <param name="fault">Of the whole group; null when it is durable.</param>
        public abstract void Finish(Exception? fault);
    }

    private sealed class Job<T>(Func<StoreContext, Task<T>> write, CancellationToken cancellationToken) : Job
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T _result = default!;
        private Exception? _fault;

        public Task<T> Result => _done.Task;

        public override async Task RunAsync(StoreContext db)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _result = await write(db);
        }

        public override void Fail(Exception fault) => _fault = fault;

        public override void Finish(Exception? fault)
        {
            if ((_fault ?? fault) is { } reason)
            {
                _done.TrySetException(reason);
            }
            else
            {
                _done.TrySetResult(_result);
            }
        }
    }
}
