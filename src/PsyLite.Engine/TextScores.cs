namespace PsyLite.Engine;

/// <summary>Natural-log likelihoods of plain texts that begin alike.</summary>
/// <param name="Shared">Of the beginning, its first token given; null where all texts have equally many tokens, for then it cancels out.</param>
/// <param name="SharedTokens">Tokens of the beginning.</param>
/// <param name="Rest">Of what follows the beginning, text by text.</param>
/// <param name="RestTokens">Tokens of what follows, text by text.</param>
public sealed record TextScores(double? Shared, int SharedTokens, IReadOnlyList<double> Rest, IReadOnlyList<int> RestTokens);
