namespace PsyLite.Agent.Humour;

/// <summary>One vetted two-person crosstalk piece (对口相声). Every line begins with 甲： or 乙：.</summary>
/// <param name="Unfit">Situations in which the piece must not be offered.</param>
public sealed record CrosstalkPiece(
    string Id, string Title, IReadOnlyList<string> Themes, string Tone, IReadOnlyList<string> Unfit, IReadOnlyList<string> Lines);
