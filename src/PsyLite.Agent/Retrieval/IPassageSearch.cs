namespace PsyLite.Agent.Retrieval;

/// <summary>
/// A search over passages that are kept outside the process. It may block, fail or find a damaged file; callers in a turn go through
/// <see cref="GuardedPassageSearch"/>.
/// </summary>
public interface IPassageSearch
{
    /// <summary>The passages nearest to the words, best first. <paramref name="words"/> are what a person said, never a prompt.</summary>
    ValueTask<IReadOnlyList<PassageHit>> SearchAsync(string words, int most, CancellationToken cancellationToken);
}

/// <summary>One passage found. <paramref name="Content"/> comes from a file that others wrote: data, to be checked before it is shown.</summary>
public sealed record PassageHit(string Key, double Score, string Content);
