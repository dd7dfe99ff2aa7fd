namespace PsyLite.Evaluation.Safety.FaultInjection;

/// <summary>
/// A clock that moves only when told, so that limits of minutes cost nothing. A part that is about to hang calls <see cref="Stall"/>: the
/// limits that wait and the next one to be set in this turn then run out at once.
/// </summary>
internal sealed class FaultClock(ClockFault fault, Random random) : TimeProvider
{
    private static readonly TimeSpan Jump = TimeSpan.FromDays(400);
    private const int EarliestYear = 1900;
    private const int LatestYear = 9000;
    private readonly Lock _gate = new();
    private readonly List<Limit> _limits = [];
    private DateTimeOffset _now = new(2026, 6, 1, 8, 0, 0, TimeSpan.Zero);
    private long _ticks;
    private bool _isStalled;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    /// <summary>A minute goes by before the next turn, or what the fault makes of it.</summary>
    public void NextTurn()
    {
        lock (_gate)
        {
            _isStalled = false;
            _now += fault switch
            {
                ClockFault.Forward when _now.Year < LatestYear => Jump,
                ClockFault.Back when _now.Year > EarliestYear => -Jump,
                ClockFault.Wild => (random.NextDouble() - 0.5) * 2 * Jump,
                _ => TimeSpan.FromMinutes(1),
            };
        }

        Interlocked.Add(ref _ticks, fault is ClockFault.Forward or ClockFault.Wild ? Jump.Ticks : TimeSpan.TicksPerMinute);
    }

    public void Stall()
    {
        lock (_gate)
        {
            // A limit in the list may be one that is over and not yet taken down, so the next one runs out as well.
            _isStalled = true;
            foreach (var limit in _limits.ToList())
            {
                RunOut(limit);
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var limit = new Limit(this, callback, state, dueTime);
        lock (_gate)
        {
            _limits.Add(limit);
            if (_isStalled)
            {
                _isStalled = false;
                RunOut(limit);
            }
        }

        return limit;
    }

    private void RunOut(Limit limit)
    {
        _limits.Remove(limit);
        if (limit.Due > TimeSpan.Zero)
        {
            _now += limit.Due;
            Interlocked.Add(ref _ticks, limit.Due.Ticks);
        }

        // The caller may still be inside its own set-up, as with a real timer it would be.
        ThreadPool.QueueUserWorkItem(_ => limit.Run());
    }

    private sealed class Limit(FaultClock clock, TimerCallback callback, object? state, TimeSpan due) : ITimer
    {
        public TimeSpan Due => due;

        public void Run() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
            lock (clock._gate)
            {
                clock._limits.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
