namespace PsyLite.DataPipeline;

/// <summary>
/// Spreads requests and tokens evenly over time (a leaky bucket each), and stops all of them for as long as the teacher asks. Tokens are reserved as
/// estimated and put right when the answer tells how many there were.
/// </summary>
internal sealed class RequestPacer(int? requestsPerMinute, int? tokensPerMinute, TimeProvider time)
{
    private readonly Lock _gate = new();
    private DateTimeOffset _nextRequest = DateTimeOffset.MinValue;
    private DateTimeOffset _nextToken = DateTimeOffset.MinValue;
    private DateTimeOffset _pausedUntil = DateTimeOffset.MinValue;

    public async Task WaitAsync(long tokens, CancellationToken cancellationToken)
    {
        var wait = Reserve(tokens);
        while (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, cancellationToken);
            lock (_gate)
            {
                // The teacher may have asked for a pause while this one waited.
                wait = _pausedUntil - time.GetUtcNow();
            }
        }
    }

    /// <summary>Nobody asks before then.</summary>
    public void Pause(TimeSpan wait)
    {
        lock (_gate)
        {
            var until = time.GetUtcNow() + wait;
            _pausedUntil = until > _pausedUntil ? until : _pausedUntil;
        }
    }

    public void Correct(long estimated, long actual)
    {
        if (tokensPerMinute is { } most)
        {
            lock (_gate)
            {
                _nextToken += TimeSpan.FromMinutes((double)(actual - estimated) / most);
            }
        }
    }

    private TimeSpan Reserve(long tokens)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var start = new[] { now, _pausedUntil, requestsPerMinute is null ? now : _nextRequest, tokensPerMinute is null ? now : _nextToken }.Max();
            _nextRequest = start + (requestsPerMinute is { } requests ? TimeSpan.FromMinutes(1.0 / requests) : TimeSpan.Zero);
            _nextToken = start + (tokensPerMinute is { } most ? TimeSpan.FromMinutes((double)tokens / most) : TimeSpan.Zero);
            return start - now;
        }
    }
}
