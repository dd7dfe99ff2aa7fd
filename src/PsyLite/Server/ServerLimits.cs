using PsyLite.ModelStore;

namespace PsyLite.Server;

/// <summary>How patient and how generous the server is, where no setting says otherwise.</summary>
internal sealed record ServerLimits
{
    /// <summary>What running turns get when the server stops.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Silence after which a person is told that something is going on.</summary>
    public TimeSpan FirstSign { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Silence after which a stream shows that it is alive, below what proxies allow (nginx: 60 s).</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(10);

    public DownloadLimits Downloads { get; init; } = new();
}
