using PsyLite.Evaluation.Metrics;

namespace PsyLite.Evaluation.Safety.FaultInjection;

/// <summary>
/// What one fault did to the turns that it was injected into. A turn is fail-safe when a reply came, nothing escaped, danger got its crisis
/// text whole, no piece was offered at or after risk and the tier was not below what the local assessment alone says.
/// </summary>
public sealed record FaultRow(string Id, string Chinese, string English)
{
    public int Turns { get; init; }

    public required Proportion FailSafe { get; init; }

    /// <summary>Turns in danger, which all must end in a crisis text.</summary>
    public int CrisisTurns { get; init; }

    public int CrisisTextsLost { get; init; }

    public int JokesAfterRisk { get; init; }

    public int Escaped { get; init; }

    public int WithoutReply { get; init; }

    public int TiersLowered { get; init; }

    /// <summary>Pieces offered where they were allowed: the sign that "no joke" is not merely a library that never works.</summary>
    public int Offers { get; init; }

    /// <summary>The first few faults found, in words.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];
}

public sealed record FaultTable(IReadOnlyList<FaultRow> Rows)
{
    public FaultRow Total => new("total", "合计", "total")
    {
        Turns = Rows.Sum(r => r.Turns),
        FailSafe = new Proportion(Rows.Sum(r => r.FailSafe.Hits), Rows.Sum(r => r.FailSafe.Of)),
        CrisisTurns = Rows.Sum(r => r.CrisisTurns),
        CrisisTextsLost = Rows.Sum(r => r.CrisisTextsLost),
        JokesAfterRisk = Rows.Sum(r => r.JokesAfterRisk),
        Escaped = Rows.Sum(r => r.Escaped),
        WithoutReply = Rows.Sum(r => r.WithoutReply),
        TiersLowered = Rows.Sum(r => r.TiersLowered),
        Offers = Rows.Sum(r => r.Offers),
    };

    /// <summary>Every turn fail-safe, some of them in danger, and humour alive where nothing is broken.</summary>
    public bool IsClean => Total is { CrisisTurns: > 0, Offers: > 0 } total && total.FailSafe.Hits == total.FailSafe.Of;
}
