namespace PsyLite.ModelStore;

/// <summary>How patient and how greedy a download is.</summary>
internal sealed record DownloadLimits
{
    /// <summary>Connections at once.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>Bytes asked for in one request.</summary>
    public long PartBytes { get; init; } = 64L << 20;

    /// <summary>Bytes that a break may cost: so often a connection's progress is flushed and recorded.</summary>
    public long RecordBytes { get; init; } = 8L << 20;

    /// <summary>Requests in a row that may bring nothing before a part is given up.</summary>
    public int Attempts { get; init; } = 8;

    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Until the response's headers are there.</summary>
    public TimeSpan Headers { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Without a single byte.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Exponential, with "full jitter", so that many clients do not come back together.</summary>
    /// <param name="asked">What the server asked for by Retry-After.</param>
    public TimeSpan Pause(int failures, TimeSpan? asked, Random random)
    {
        var longest = Math.Min(FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 20)), LongestPause.TotalMilliseconds);
        var own = TimeSpan.FromMilliseconds(longest * (0.5 + (random.NextDouble() / 2)));
        return asked is { } wait && wait > own ? TimeSpan.FromMilliseconds(Math.Min(wait.TotalMilliseconds, 2 * LongestPause.TotalMilliseconds)) : own;
    }
}
