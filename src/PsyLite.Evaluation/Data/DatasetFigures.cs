namespace PsyLite.Evaluation.Data;

/// <summary>How long something is, over all rows.</summary>
/// <param name="Counts">Rows in each class of <see cref="DatasetFigures.LengthClasses"/>.</param>
public sealed record LengthFigures(string Name, IReadOnlyList<int> Counts, int Median, int Ninetieth, int NinetyNinth, int Longest);

/// <summary>A name and how many rows have it.</summary>
public sealed record NamedCount(string Name, long Count);

/// <summary>What a set of training data looks like; <see cref="DatasetPage"/> shows it.</summary>
public sealed record DatasetFigures
{
    /// <summary>Upper ends of the classes of lengths, in tokens; the last class has none.</summary>
    public static IReadOnlyList<int> LengthEnds { get; } = [32, 64, 128, 256, 512, 1024, 2048, 4096];

    public static IReadOnlyList<string> LengthClasses { get; } = [.. LengthEnds.Select(e => $"≤{e}"), ">4096"];

    public required IReadOnlyList<string> Files { get; init; }

    public int Rows { get; init; }

    /// <summary>Rows with a rejected reply.</summary>
    public int Pairs { get; init; }

    public int WithReasoning { get; init; }

    public long Tokens { get; init; }

    public int Rejected { get; init; }

    public int ExactDuplicates { get; init; }

    /// <summary>Rows that nearly repeat an earlier one, exact ones among them.</summary>
    public int NearDuplicates { get; init; }

    /// <summary>Rows with what looks like a phone number, identity card, address of e-mail, WeChat or QQ.</summary>
    public int WithPersonalData { get; init; }

    public IReadOnlyList<LengthFigures> Lengths { get; init; } = [];

    /// <summary>Rows by number of the person's messages.</summary>
    public IReadOnlyList<NamedCount> Turns { get; init; } = [];

    public IReadOnlyList<NamedCount> Topics { get; init; } = [];

    public IReadOnlyList<NamedCount> Kinds { get; init; } = [];

    public IReadOnlyList<NamedCount> Sources { get; init; } = [];

    public IReadOnlyList<NamedCount> Licences { get; init; } = [];

    public IReadOnlyList<NamedCount> Scores { get; init; } = [];

    /// <summary>Tiers that the program's own assessment gives to the newest message.</summary>
    public IReadOnlyList<NamedCount> Tiers { get; init; } = [];

    /// <summary>Harms that the source itself names.</summary>
    public IReadOnlyList<NamedCount> Harms { get; init; } = [];

    /// <summary>Rules of the guard that replies to be learned break.</summary>
    public IReadOnlyList<NamedCount> BrokenRules { get; init; } = [];
}
