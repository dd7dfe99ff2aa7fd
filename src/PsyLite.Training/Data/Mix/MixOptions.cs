using PsyLite.Training.Data.Import;

namespace PsyLite.Training.Data.Mix;

/// <summary>A source and its share of the mix.</summary>
public sealed record MixSource(SourceOptions Source, double Share);

/// <summary>A part of the mix, such as train or valid, and its share; whole dialogues go to one part.</summary>
public sealed record MixSplit(string Name, double Share);

/// <summary>How sources become a mix.</summary>
public sealed record MixOptions
{
    public required IReadOnlyList<MixSource> Sources { get; init; }

    /// <summary>Rows of the mix before it is split; null takes as many as the shares allow.</summary>
    public int? Rows { get; init; }

    public IReadOnlyList<MixSplit> Splits { get; init; } = [new("train", 1)];

    public int Seed { get; init; } = 1;

    /// <summary>Similarity from which two rows are duplicates; null keeps all.</summary>
    public double? Duplicates { get; init; } = 0.8;

    /// <summary>Evaluation sets whose text may not be in the mix.</summary>
    public IReadOnlyList<string> Against { get; init; } = [];

    public AlpacaHistory History { get; init; } = AlpacaHistory.Inside;

    /// <summary>Rows without reasoning are left out.</summary>
    public bool NeedsReasoning { get; init; }

    /// <exception cref="InvalidDataException">They do not make sense; the message says what to write.</exception>
    public MixOptions Validated()
    {
        if (Sources.Count == 0 || Sources.Any(s => !(s.Share > 0) || !double.IsFinite(s.Share)))
        {
            throw new InvalidDataException("every --source needs a share above 0, as in --source general.jsonl:10.");
        }

        if (Rows is < 1)
        {
            throw new InvalidDataException("--rows must be at least 1.");
        }

        if (Splits.Count == 0 || Splits.Any(s => !(s.Share > 0) || s.Name.Length == 0 || s.Name.AsSpan().ContainsAny(Path.GetInvalidFileNameChars()))
            || Splits.Select(s => s.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count() != Splits.Count)
        {
            throw new InvalidDataException("--split needs different names with shares above 0, as in --split train=0.98,valid=0.02.");
        }

        return Duplicates is null or (>= 0.5 and <= 1) ? this : throw new InvalidDataException("--near must lie between 0.5 and 1.");
    }
}
