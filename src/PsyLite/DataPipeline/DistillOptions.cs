using PsyLite.Training.Data.Import;

namespace PsyLite.DataPipeline;

/// <summary>Which replies of a dialogue get a chain of thought.</summary>
internal enum DistilledTurns
{
    /// <summary>The last one, as in the paper.</summary>
    Last,
    All,
}

/// <summary>What a distillation reads, asks and keeps.</summary>
internal sealed record DistillOptions
{
    public required IReadOnlyList<SourceOptions> Sources { get; init; }

    /// <summary>File of records; the journal, the report and the rejected rows lie beside it.</summary>
    public required string Output { get; init; }

    public DistilledTurns Turns { get; init; } = DistilledTurns.Last;

    /// <summary>Most turns, from the beginning; null takes all.</summary>
    public int? Rows { get; init; }

    /// <summary>Answers asked for until one passes the gates.</summary>
    public int Tries { get; init; } = 2;

    /// <summary>Requests under way at once.</summary>
    public int Concurrency { get; init; } = 8;

    /// <summary>Tokens, in and out, after which this run asks no more; null knows no end.</summary>
    public long? TokenBudget { get; init; }

    /// <summary>Money after which this run asks no more.</summary>
    public double? CostBudget { get; init; }

    public GateOptions Gates { get; init; } = new();

    /// <summary>Writes what there is even when some turns are still without an answer.</summary>
    public bool IsPartial { get; init; }

    public string Journal => Output + ".journal";

    public string Report => Output + ".report.json";
}
