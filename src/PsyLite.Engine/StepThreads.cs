using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>
/// Threads of the next step, for one token, for several replies and for prompts, as <see cref="ThreadPace"/> and <see cref="PromptThreads"/> find them.
/// For the decoding thread alone.
/// </summary>
internal sealed class StepThreads(ContextHandle context)
{
    private ThreadPace token = new(1);
    private ThreadPace several = new(1);
    private PromptThreads prompt = new(1);
    private (int Token, int Several) set;

    /// <summary>Most tokens of a prompt in the next step.</summary>
    public int PromptLimit => prompt.Limit(token.IsReduced);

    /// <summary>What is best in calm times, and whether one thread is faster for a token at this moment.</summary>
    public void Settle(int tokenThreads, int severalThreads, bool oneIsFaster)
    {
        (token, several, prompt) = (new ThreadPace(tokenThreads, oneIsFaster), new ThreadPace(severalThreads), new PromptThreads(severalThreads));
        Prepare(replies: 1, tokens: 1);
    }

    /// <summary>A step of so many tokens comes, of which so many are those of replies.</summary>
    public void Prepare(int replies, int tokens)
    {
        var together = replies < tokens ? prompt.Threads(token.Threads, token.IsReduced)
            : token.IsReduced ? Math.Min(token.Threads, several.Threads)
            : several.Threads;
        if ((token.Threads, together) != set)
        {
            set = (token.Threads, together);
            context.SetThreads(set.Token, set.Several);
        }
    }

    /// <summary>The step is done. One that mixes replies and prompts is like no other and says nothing.</summary>
    public void Observe(TimeSpan took, int replies, int tokens)
    {
        if (replies == tokens)
        {
            (replies == 1 ? token : several).Observe(took.TotalSeconds, replies);
        }
        else if (replies == 0)
        {
            prompt.Observe(took.TotalSeconds, tokens, token.IsReduced);
        }
    }
}
