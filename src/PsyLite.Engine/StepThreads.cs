using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>Threads of the next step, for one token and for several, as <see cref="ThreadPace"/> finds them. For the decoding thread alone.</summary>
internal sealed class StepThreads(ContextHandle context)
{
    private ThreadPace token = new(1);
    private ThreadPace several = new(1);
    private (int Token, int Several) set;

    /// <summary>What is best in calm times, and whether one thread is faster for a token at this moment.</summary>
    public void Settle(int tokenThreads, int severalThreads, bool oneIsFaster)
    {
        (token, several) = (new ThreadPace(tokenThreads, oneIsFaster), new ThreadPace(severalThreads));
        Apply();
    }

    /// <summary>A step of replies alone is done; prompts come in parts of every size, so what was learnt from replies holds for them too.</summary>
    public void Observe(TimeSpan took, int replies)
    {
        (replies == 1 ? token : several).Observe(took.TotalSeconds, replies);
        Apply();
    }

    private void Apply()
    {
        var wanted = (token.Threads, token.IsReduced ? Math.Min(token.Threads, several.Threads) : several.Threads);
        if (wanted != set)
        {
            set = wanted;
            context.SetThreads(set.Token, set.Several);
        }
    }
}
