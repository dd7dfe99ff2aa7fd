namespace PsyLite.Server;

/// <summary>
/// The turns that are running. When the server stops, they get a while to finish; those that are not done by then are cut, and their
/// callers told so.
/// </summary>
internal sealed class OpenTurns : IDisposable
{
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
