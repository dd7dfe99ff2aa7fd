using PsyLite.Evaluation.Metrics;

namespace PsyLite.Evaluation.Runs;

/// <summary>Everything that a run's numbers depend on, and what is needed to repeat it.</summary>
public sealed record RunManifest
{
    public required string Benchmark { get; init; }

    /// <summary>What the run is called beside others.</summary>
    public required string Name { get; init; }

    /// <summary>The protocol, by name.</summary>
    public required string Variant { get; init; }

    public required ModelFacts Model { get; init; }

    /// <summary>Null for a protocol without a judge, and for the judge by rules.</summary>
    public IReadOnlyList<JudgeFacts> Judges { get; init; } = [];

    public required string DataFolder { get; init; }

    /// <summary>SHA-256 over names and contents of the files that were read.</summary>
    public required string DataSha256 { get; init; }

    public required long Seed { get; init; }

    /// <summary>Sampling, shots, scale, aggregation and so on.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>Prompts word for word, with holes in braces.</summary>
    public IReadOnlyDictionary<string, string> Prompts { get; init; } = new Dictionary<string, string>();

    public string CodeVersion { get; init; } = "";

    public DateTimeOffset StartedAt { get; init; }

    public double Seconds { get; init; }

    /// <summary>Answers taken from an earlier, stopped run.</summary>
    public int AnswersFound { get; init; }

    public int AnswersAdded { get; init; }
}

/// <summary>Who judged, and how.</summary>
public sealed record JudgeFacts(string Name, ModelFacts? Model, float Temperature, int MaxTokens)
{
    /// <summary>The judge by rules, whose scores compare with nobody else's.</summary>
    public static JudgeFacts Rules { get; } = new("rules", null, 0, 0);

    /// <summary>How often at most it was asked for a verdict that can be read.</summary>
    public int Attempts { get; init; } = 1;
}

/// <summary>
/// An independent unit of a run, a dialogue or a question. A run's total of a score is the sum of weight times score; a score that could
/// not be had is missing.
/// </summary>
public sealed record ScoredItem(string Id, string Group, double Weight, IReadOnlyDictionary<string, double> Scores);

/// <summary>One of a run's main numbers.</summary>
/// <param name="Id">Name of the score.</param>
/// <param name="Most">Top of its scale.</param>
public sealed record Figure(string Id, string Chinese, string English, Estimate Estimate, double Most, bool IsShare = false, bool IsLowerBetter = false);

/// <summary>What runs of every benchmark have, and by which they are compared.</summary>
public sealed record RunSummary(RunManifest Manifest, IReadOnlyList<Figure> Figures, IReadOnlyList<ScoredItem> Items);
