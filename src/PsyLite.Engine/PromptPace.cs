using System.Diagnostics;

namespace PsyLite.Engine;

/// <summary>How fast prompts are computed here, and so how many of their tokens fit into a step and whose turn it is.</summary>
internal sealed class PromptPace(int batchLength)
{
    /// <summary>Replies keep flowing at about reading speed while prompts are computed beside them.</summary>
    private const double StepBesideReplies = 0.25;

    /// <summary>Newcomers with short prompts wait no longer than this for a long one beside others, or for work that nobody waits for.</summary>
    private const double StepBesidePrompts = 2;

    /// <summary>Fewer tokens cost nearly as much: the weights are read anyway.</summary>
    private const int FewestTokens = 8;

    /// <summary>Weight of the newest measurement.</summary>
    private const double Learning = 0.2;

    private double? secondsPerPromptToken;
    private double secondsPerReplyStep;

    /// <summary>Prompt tokens of the next step, beside so many running replies.</summary>
    /// <param name="isAlone">One request, and nobody waits: whole batches are the fastest, since the weights are read once for each.</param>
    public int Budget(int replies, bool isAlone)
    {
        if (isAlone)
        {
            return batchLength;
        }

        if (secondsPerPromptToken is not { } cost)
        {
            return Math.Min(batchLength, replies > 0 ? FewestTokens : batchLength);
        }

        var time = replies > 0 ? StepBesideReplies - secondsPerReplyStep : StepBesidePrompts;
        return (int)Math.Clamp(time / cost, Math.Min(FewestTokens, batchLength), batchLength);
    }

    /// <summary>
    /// Least first: when it came, and the time that the rest of its prompt takes. So short ones, which come in turn
    /// among themselves, overtake long ones, but nobody is overtaken by those that came later than it takes to compute.
    /// </summary>
    public double Rank(EngineJob job, int remaining) =>
        Math.Max(remaining * (secondsPerPromptToken ?? 0), StepBesideReplies) + ((double)job.Submitted / Stopwatch.Frequency);

    /// <summary>Learns from a step of so many replies' tokens among all.</summary>
    public void Observe(int replies, int tokens, TimeSpan elapsed)
    {
        if (tokens == replies)
        {
            secondsPerReplyStep += Learning * (elapsed.TotalSeconds - secondsPerReplyStep);
        }
        else if (tokens - replies >= FewestTokens)
        {
            var cost = Math.Max(elapsed.TotalSeconds - (replies > 0 ? secondsPerReplyStep : 0), 1e-6) / (tokens - replies);
            secondsPerPromptToken = secondsPerPromptToken is { } known ? known + (Learning * (cost - known)) : cost;
        }
    }
}
