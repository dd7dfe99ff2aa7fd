namespace PsyLite.Server;

/// <summary>
/// The turns that are running. When the server stops, they get a while to finish; those that are not done by then are cut, and their
/// callers told so. Until then the server goes on listening and says that it is not ready; the turns of pages, which no request waits for, are
/// waited for too, with their records.
/// </summary>
internal sealed class OpenTurns : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(20);
    private readonly CancellationTokenSource _cut = new();
    private readonly IHostApplicationLifetime _lifetime;
    private readonly CancellationTokenRegistration _stopping;
    private int _count;

    public OpenTurns(IHostApplicationLifetime lifetime, ServerLimits limits)
    {
        _lifetime = lifetime;
        _stopping = lifetime.ApplicationStopping.Register(() => _cut.CancelAfter(limits.Grace));
    }

    public int Count => Volatile.Read(ref _count);

    public bool IsStopping => _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>True once the while is over: what ends now was cut by the server, not left by its caller.</summary>
    public bool IsCut => _cut.IsCancellationRequested;

    /// <summary>Opens a turn; disposing closes it.</summary>
    public OpenTurn Open(CancellationToken callerLeft)
    {
        Interlocked.Increment(ref _count);
        return new OpenTurn(CancellationTokenSource.CreateLinkedTokenSource(callerLeft, _cut.Token), () => Interlocked.Decrement(ref _count));
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Comes before the server stops listening.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _lifetime.StopApplication();
        while (Count > 0 && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(BetweenLooks, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _stopping.Dispose();
        _cut.Dispose();
    }
}

/// <summary>A running turn.</summary>
internal sealed class OpenTurn(CancellationTokenSource ends, Action close) : IDisposable
{
    /// <summary>Cancelled when the caller leaves or the server cuts the turn.</summary>
    public CancellationToken Token => ends.Token;

    public void Dispose()
    {
        ends.Dispose();
        close();
    }
}
