namespace PsyLite.Agent.Humour;

/// <summary>One vetted two-person crosstalk piece (对口相声). Every line begins with 甲： or 乙：.</summary>
/// <param name="Unfit">Situations in which the piece must not be offered.</param>
public sealed record CrosstalkPiece(
    string Id, string Title, IReadOnlyList<string> Themes, string Tone, IReadOnlyList<string> Unfit, IReadOnlyList<string> Lines)
{
    /// <summary>Characters up to which a piece is read in half a minute, and in a minute.</summary>
    private const int ShortLength = 180;
    private const int MediumLength = 320;
    private const int HeadWeight = 4;

    /// <summary>Under which licence the text may be used; null for the pieces that come with the program, which are under its own.</summary>
    public string? Licence { get; init; }

    public PieceLength Length => Lines.Sum(l => l.Length) switch
    {
        <= ShortLength => PieceLength.Short,
        <= MediumLength => PieceLength.Medium,
        _ => PieceLength.Long,
    };

    /// <summary>What retrieval reads; title and themes say what the piece is about, so they count several times.</summary>
    internal string IndexText => $"{string.Join(' ', Enumerable.Repeat($"{Title} {string.Join(' ', Themes)}", HeadWeight))} {string.Join(' ', Lines)}";
}

/// <summary>How long a piece is.</summary>
public enum PieceLength
{
    Short,
    Medium,
    Long,
}
