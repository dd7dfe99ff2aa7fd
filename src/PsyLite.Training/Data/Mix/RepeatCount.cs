namespace PsyLite.Training.Data.Mix;

/// <summary>How many texts repeat an earlier one, word for word or nearly.</summary>
/// <param name="threshold">Similarity from which two texts are near duplicates, 0.5 to 1.</param>
public sealed class RepeatCount(double threshold)
{
    private readonly NearDuplicates _texts = new(threshold);

    public void Add(IReadOnlyList<string> texts) => _texts.Add(texts);

    /// <returns>Texts equal to an earlier one after folding, and texts nearly equal to one, these included.</returns>
    public (int Exact, int Near) Count(CancellationToken cancellationToken) =>
        (_texts.Count - _texts.Distinct, _texts.Groups(cancellationToken).Where((first, text) => first != text).Count());
}
