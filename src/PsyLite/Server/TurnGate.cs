using System.Threading.RateLimiting;
using PsyLite.Agent.Risk;

namespace PsyLite.Server;

/// <summary>
/// Lets turns in as long as there is room and nobody asks too often. A person in danger is always let in: their answer is a preset, which
/// costs next to nothing.
/// </summary>
internal sealed class TurnGate(RiskAssessor assessor, OpenTurns open, int mostTurns, int perMinute) : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WhenFull = TimeSpan.FromSeconds(2);
    private readonly PartitionedRateLimiter<string> _rate = PartitionedRateLimiter.Create<string, string>(user => RateLimitPartition.GetTokenBucketLimiter(user, _ => new TokenBucketRateLimiterOptions
    {
        TokenLimit = perMinute,
        TokensPerPeriod = Math.Max(1, perMinute / 60),
        ReplenishmentPeriod = Period,
        QueueLimit = 0,
    }));

    /// <exception cref="ApiException">There is no room; it says when to come again.</exception>
    public OpenTurn Enter(ServedTurn turn, CancellationToken callerLeft)
    {
        if (Refusal(turn) is { } refusal && (turn.Caller.Task is not null || assessor.Assess(turn.Messages).Route != Route.Danger))
        {
            throw refusal;
        }

        return open.Open(callerLeft);
    }

    /// <summary>Counts a request that is no turn against its caller's rate.</summary>
    public void Count(string user)
    {
        if (RateRefusal(user) is { } refusal)
        {
            throw refusal;
        }
    }

    public void Dispose() => _rate.Dispose();

    private ApiException? Refusal(ServedTurn turn) =>
        open.IsStopping ? new ApiException(503, "stopping", "the server is stopping; please try again in a moment") { RetryAfter = WhenFull }
        : open.Count >= mostTurns ? new ApiException(429, "server_busy", "server busy, please try again.  maximum pending requests exceeded") { RetryAfter = WhenFull }
        : RateRefusal(turn.Caller.User);

    private ApiException? RateRefusal(string user)
    {
        using var lease = _rate.AttemptAcquire(user);
        return lease.IsAcquired ? null : new ApiException(429, "rate_limit_exceeded", $"more than {perMinute} requests a minute; please slow down")
        {
            RetryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : Period,
        };
    }
}
