namespace PsyLite.Agent;

/// <summary>Takes the times of one turn.</summary>
internal sealed class TurnClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private double _assessMs;
    private double _askedMs;
    private double _judgeMs;
    private double _firstTokenMs;

    private double Elapsed => time.GetElapsedTime(_start).TotalMilliseconds;

    public void Assessed() => _assessMs = Elapsed;

    /// <summary>A judge is asked; at most one is in a turn.</summary>
    public void Asked() => _askedMs = Elapsed;

    public void Judged() => _judgeMs = Elapsed - _askedMs;

    public void Spoke(int characters)
    {
        if (_firstTokenMs == 0 && characters > 0)
        {
            _firstTokenMs = Elapsed;
        }
    }

    public TurnTimings Timings(int tokens) => new(_assessMs, _judgeMs, _firstTokenMs, Elapsed, tokens) { AskedMs = _askedMs };
}
