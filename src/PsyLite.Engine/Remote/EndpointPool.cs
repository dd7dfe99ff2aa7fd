using Polly.CircuitBreaker;

namespace PsyLite.Engine.Remote;

/// <summary>
/// Endpoints that serve the same: the least busy healthy one is asked first, and another when it fails before its first token. Looks at
/// each from time to time, so that one that comes back is found without anybody's turn at stake.
/// </summary>
internal sealed class EndpointPool : IAsyncDisposable
{
    /// <summary>Rounds through all endpoints, when each wants to be asked again later.</summary>
    private const int MaxRounds = 3;
    private readonly RemoteOptions options;
    private readonly TimeProvider time;
    private readonly Func<Endpoint, CancellationToken, Task> probe;
    private readonly CancellationTokenSource stopped = new();
    private readonly SemaphoreSlim soon = new(0);
    private readonly Task probing;

    /// <param name="probe">Looks at an endpoint; throws <see cref="RemoteException"/> when it does not serve.</param>
    public EndpointPool(RemoteOptions options, TimeProvider time, Func<Endpoint, CancellationToken, Task> probe)
    {
        (this.options, this.time, this.probe) = (options, time, probe);
        Endpoints = [.. options.Endpoints.Select(address => new Endpoint(address, options, time))];
        FirstLook = LookAsync(stopped.Token);
        probing = KeepLookingAsync();
    }

    public IReadOnlyList<Endpoint> Endpoints { get; }

    /// <summary>Done when every endpoint has been looked at once.</summary>
    public Task FirstLook { get; }

    /// <summary>One line that says that nobody serves; null when somebody does.</summary>
    public string? Problem => Endpoints.Any(e => e.IsHealthy) ? null
        : Endpoints.Select(e => e.Refusal).FirstOrDefault(r => r is not null) ?? $"none of {options.Hosts} answers: start the engine there, or check {options.AddressSource}.";

    /// <param name="affinity">Alike for the turns of a conversation, which then meet an endpoint that has their beginning cached, unless another is less busy.</param>
    /// <exception cref="RemoteException">No endpoint did it; that of the last one that was asked.</exception>
    public async Task<T> RunAsync<T>(int affinity, Func<Endpoint, CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
    {
        RemoteException? last = null;
        for (var round = 1; ; round++)
        {
            TimeSpan? wait = null;
            foreach (var endpoint in Order(affinity))
            {
                try
                {
                    return await endpoint.RunAsync(attempt, cancellationToken);
                }
                catch (BrokenCircuitException)
                {
                    last ??= new RemoteException(Problem ?? $"{endpoint.Address.Authority} failed too often; it is tried again in a moment.");
                }
                catch (RemoteException fault) when (!fault.IsRequestFault)
                {
                    last = fault;
                    wait = fault.RetryAfter is { } asked && asked <= options.LongestWait && (wait is null || asked < wait) ? asked : wait;
                    soon.Release();
                }
            }

            if (wait is not { } pause || round == MaxRounds)
            {
                throw last!;
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopped.CancelAsync();
        await probing;
        stopped.Dispose();
        soon.Dispose();
    }

    private List<Endpoint> Order(int affinity) =>
        [.. Endpoints.OrderBy(e => !e.IsHealthy).ThenBy(e => e.Load).ThenBy(e => HashCode.Combine(affinity, e.Address))];

    private async Task KeepLookingAsync()
    {
        try
        {
            await FirstLook;
            while (true)
            {
                using var timer = new CancellationTokenSource(options.Probe, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, stopped.Token);
                await soon.WaitAsync(either.Token).ContinueWith(_ => { }, TaskScheduler.Default);
                while (soon.Wait(0, CancellationToken.None))
                {
                    // Many failures at once are reason for one look.
                }

                stopped.Token.ThrowIfCancellationRequested();
                await LookAsync(stopped.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The pool is being let go of.
        }
    }

    private Task LookAsync(CancellationToken cancellationToken) => Task.WhenAll(Endpoints.Select(async endpoint =>
    {
        try
        {
            // Looks are no requests: they count only where one of them is the trial that ends a rest.
            await (endpoint.IsResting ? endpoint.RunAsync(Look, cancellationToken) : Look(endpoint, cancellationToken));
        }
        catch (RemoteException fault)
        {
            endpoint.Lost(fault);
        }
        catch (BrokenCircuitException)
        {
            // Its rest is not over; it is looked at again next time.
        }

        async Task<bool> Look(Endpoint e, CancellationToken token)
        {
            await probe(e, token);
            return true;
        }
    }));
}
