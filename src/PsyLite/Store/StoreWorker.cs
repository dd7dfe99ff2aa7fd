using System.Threading.Channels;

namespace PsyLite.Store;

/// <summary>
/// Writes behind the turns: what the care of a turn reports is queued at once and written in order. A job that fails is tried again until the
/// program ends; what no longer fits is dropped and counted.
/// </summary>
internal sealed class StoreWorker : IAsyncDisposable
{
    private const int MostWaiting = 10_000;
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(5);

    /// <summary>How long the end of the program waits for what is still to be written.</summary>
    private static readonly TimeSpan LongestFlush = TimeSpan.FromSeconds(5);
    private readonly Channel<Func<CancellationToken, Task>> _jobs = Channel.CreateBounded<Func<CancellationToken, Task>>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly Action<Exception> _failed;
    private readonly Task _running;
    private long _dropped;

    /// <param name="failed">Told of the first failure of each job.</param>
    public StoreWorker(TimeProvider time, Action<Exception> failed)
    {
        _time = time;
        _failed = failed;
        _running = RunAsync();
    }

    /// <summary>Jobs that did not fit into the queue.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void Add(Func<CancellationToken, Task> job)
    {
        if (!_jobs.Writer.TryWrite(job))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Waits until everything that was queued before is written.</summary>
    public Task FlushAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Add(_ =>
        {
            done.SetResult();
            return Task.CompletedTask;
        });
        return done.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _jobs.Writer.TryComplete();
        _stop.CancelAfter(LongestFlush);
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (var job in _jobs.Reader.ReadAllAsync(_stop.Token))
            {
                await TryAsync(job);
            }
        }
        catch (OperationCanceledException)
        {
            // The program ends and its time for this is over.
        }
    }

    private async Task TryAsync(Func<CancellationToken, Task> job)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await job(_stop.Token);
                return;
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                // The boundary of work that nobody waits for.
                if (attempt == 1)
                {
                    _failed(fault);
                }

                await Task.Delay(BetweenAttempts, _time, _stop.Token);
            }
        }
    }
}
