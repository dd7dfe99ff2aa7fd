using PsyLite.Engine;

namespace PsyLite.Tests.Engine;

/// <summary>The choice of threads for prompts while replies do with fewer, against a simulated machine.</summary>
public sealed class PromptThreadsTests
{
    /// <summary>Threads that each part of a prompt of so many tokens was computed with, and the seconds of all of it.</summary>
    private static (List<(int Threads, int Tokens)> Parts, double Seconds) Prompt(PromptThreads threads, int tokens, Func<int, double> cost, bool isReduced = true)
    {
        var (parts, seconds) = (new List<(int, int)>(), 0.0);
        while (tokens > 0)
        {
            var (used, count) = (threads.Threads(1, isReduced), Math.Min(Math.Min(tokens, 512), threads.Limit(isReduced)));
            parts.Add((used, count));
            threads.Observe(cost(used) * count, count, isReduced);
            (tokens, seconds) = (tokens - count, seconds + (cost(used) * count));
        }

        return (parts, seconds);
    }

    [Fact]
    public void A_prompt_keeps_all_threads_where_they_are_faster_though_replies_do_with_one()
    {
        var (parts, seconds) = Prompt(new PromptThreads(2), 2000, threads => 0.12 / threads);
        Assert.Equal([(2, 64), (1, 64), (2, 512)], parts.Take(3));
        Assert.InRange(seconds, 120, 130);
    }

    [Fact]
    public void A_prompt_beside_busy_programs_goes_on_with_one()
    {
        var (parts, _) = Prompt(new PromptThreads(2), 500, threads => threads == 1 ? 0.03 : 0.12);
        Assert.Equal([(2, 64), (1, 64), (1, 372)], parts);
    }

    [Fact]
    public void The_outcome_is_looked_at_again_after_a_while_and_forgotten_in_calm_times()
    {
        var threads = new PromptThreads(2);
        var (parts, _) = Prompt(threads, 2000, used => used == 1 ? 0.05 : 0.2);
        Assert.Equal(2, parts.Count(p => p.Threads == 2));
        (parts, _) = Prompt(threads, 600, used => 0.1 / used, isReduced: false);
        Assert.All(parts, p => Assert.Equal(2, p.Threads));
        Assert.Equal((2, PromptThreads.Piece), Prompt(threads, 600, used => 0.1 / used).Parts[0]);
    }

    [Fact]
    public void Short_parts_decide_nothing()
    {
        var threads = new PromptThreads(2);
        threads.Observe(9, 20, isReduced: true);
        Assert.Equal(2, threads.Threads(1, isReduced: true));
    }
}
