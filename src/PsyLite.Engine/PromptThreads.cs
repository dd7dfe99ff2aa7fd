namespace PsyLite.Engine;

/// <summary>
/// How many threads work on prompts. Replies lie in wait for memory and lose little with fewer threads, prompts are all arithmetic: that fewer are
/// faster for a token, be it by a hair, says nothing about a prompt, which takes seconds to minutes. So while replies do with fewer, a piece of the
/// prompt is computed with all threads and another with theirs, and the faster number has the rest.
/// </summary>
/// <param name="most">Threads in calm times.</param>
internal sealed class PromptThreads(int most)
{
    /// <summary>Tokens of a piece: a micro-batch, so that it costs what the rest will cost.</summary>
    public const int Piece = 64;

    /// <summary>Shorter parts say nothing.</summary>
    private const int LeastTokens = 32;

    /// <summary>Seconds of work for which the outcome holds.</summary>
    private const double Holds = 60;
    private double? withAll;
    private bool? fewerAreFaster;
    private double worked;

    /// <summary>Most tokens of the next part of a prompt.</summary>
    public int Limit(bool isReduced) => isReduced && fewerAreFaster is null ? Piece : int.MaxValue;

    /// <summary>Threads for the next part, while a token is computed with <paramref name="fewer"/> if <paramref name="isReduced"/>.</summary>
    public int Threads(int fewer, bool isReduced) => isReduced && (fewerAreFaster ?? withAll is not null) ? Math.Min(fewer, most) : most;

    /// <summary>A part of a prompt, and nothing else, was computed with the threads that <see cref="Threads"/> gave.</summary>
    public void Observe(double seconds, int tokens, bool isReduced)
    {
        worked = fewerAreFaster is null ? 0 : worked + seconds;
        if (!isReduced || worked > Holds)
        {
            (withAll, fewerAreFaster) = (null, null);
        }
        else if (fewerAreFaster is null && tokens >= LeastTokens)
        {
            var cost = seconds / tokens;
            fewerAreFaster = withAll is { } all ? cost < all : null;
            withAll ??= cost;
        }
    }
}
