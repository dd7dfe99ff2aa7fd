using Polly;
using Polly.CircuitBreaker;

namespace PsyLite.Engine.Remote;

/// <summary>One endpoint of a pool: what it serves, how busy it is, whether it may be asked.</summary>
internal sealed class Endpoint
{
    private readonly ResiliencePipeline breaker;
    private readonly CircuitBreakerStateProvider circuit = new();
    private int load;
    private volatile bool isUp = true;
    private volatile bool choosesOnly;
    private volatile string? model;
    private volatile string? refusal;

    public Endpoint(Uri address, RemoteOptions options, TimeProvider time)
    {
        Address = address;
        model = options.Model;
        breaker = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                // Half of at least four requests of ten seconds: an unlucky reply or two shut nobody out.
                FailureRatio = 0.5,
                MinimumThroughput = 4,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = options.Break,
                StateProvider = circuit,
                ShouldHandle = new PredicateBuilder().Handle<RemoteException>(fault => !fault.IsRequestFault),
            })
            .Build();
    }

    public Uri Address { get; }

    /// <summary>Requests under way.</summary>
    public int Load => Volatile.Read(ref load);

    /// <summary>The last look found it serving, and its circuit is closed.</summary>
    public bool IsHealthy => isUp && !IsResting;

    /// <summary>It failed too often of late; a look that finds it serving ends that, once its rest is over.</summary>
    public bool IsResting => circuit.CircuitState != CircuitState.Closed;

    /// <summary>Name to ask for; null until one was configured or listed.</summary>
    public string? Model => model;

    /// <summary>It told no likelihoods when asked for them, and is asked to choose from now on.</summary>
    public bool ChoosesOnly { get => choosesOnly; set => choosesOnly = value; }

    /// <exception cref="BrokenCircuitException">It failed too often of late.</exception>
    public async Task<T> RunAsync<T>(Func<Endpoint, CancellationToken, Task<T>> attempt, CancellationToken cancellationToken) =>
        await breaker.ExecuteAsync(async token => await attempt(this, token), cancellationToken);

    /// <summary>Counts a fault that came after the first token, when its request had already passed.</summary>
    public async Task BlameAsync(RemoteException fault)
    {
        var context = ResilienceContextPool.Shared.Get();
        _ = await breaker.ExecuteOutcomeAsync((_, _) => ValueTask.FromResult(Outcome.FromException<bool>(fault)), context, false);
        ResilienceContextPool.Shared.Return(context);
    }

    /// <summary>What it said when it was last looked at and would not serve; null when it said nothing.</summary>
    public string? Refusal => refusal;

    public void Found(string? listed)
    {
        (isUp, refusal) = (true, null);
        model ??= listed;
    }

    public void Lost(RemoteException fault) => (isUp, refusal) = (false, fault.Status is null ? null : fault.Message);

    /// <summary>Counts a request until the result is disposed.</summary>
    public IDisposable Enter()
    {
        Interlocked.Increment(ref load);
        return new Lease(this);
    }

    private sealed class Lease(Endpoint endpoint) : IDisposable
    {
        private Endpoint? held = endpoint;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref held, null) is { } left)
            {
                Interlocked.Decrement(ref left.load);
            }
        }
    }
}
