using PsyLite.Engine;

namespace PsyLite.Tests.Engine;

/// <summary>The choice of threads against a simulated machine: what a step costs with so many threads, calm or beside busy programs.</summary>
public sealed class ThreadPaceTests
{
    private const double Calm = 0.1;

    /// <summary>Two threads: twice as fast as one in calm times, four times slower beside others (as measured).</summary>
    private static double Cost(int threads, bool isBusy) => (threads, isBusy) switch
    {
        (1, false) => 2 * Calm,
        (1, true) => 3 * Calm,
        (_, true) => 12 * Calm,
        _ => Calm,
    };

    private static List<int> Run(ThreadPace pace, int steps, bool isBusy, int tokens = 1)
    {
        var used = new List<int>();
        for (var step = 0; step < steps; step++)
        {
            used.Add(pace.Threads);
            pace.Observe(Cost(pace.Threads, isBusy), tokens);
        }

        return used;
    }

    [Fact]
    public void In_calm_times_all_threads_work_and_fewer_are_tried_now_and_then_only()
    {
        var used = Run(new ThreadPace(2), 2000, isBusy: false);

        Assert.InRange(used.Count(t => t == 1), 3, 60);
        Assert.All(used.TakeLast(20), t => Assert.Equal(2, t));
    }

    [Fact]
    public void Beside_busy_programs_one_thread_soon_works_alone_and_all_come_back_with_the_calm()
    {
        var pace = new ThreadPace(2);
        Run(pace, 30, isBusy: false);

        var busy = Run(pace, 300, isBusy: true);
        Assert.Equal(1, pace.Threads);
        Assert.True(busy.Count(t => t == 2) < 40, $"{busy.Count(t => t == 2)} of 300 steps with both threads");

        var calm = Run(pace, 400, isBusy: false);
        Assert.Equal(2, calm[^30..].Min());
    }

    [Fact]
    public void A_machine_that_is_busy_from_the_start_begins_with_one_thread()
    {
        var used = Run(new ThreadPace(2, startFewest: true), 200, isBusy: true);

        Assert.Equal(1, used[0]);
        Assert.True(used.Count(t => t == 2) < 20);
    }

    [Fact]
    public void Of_many_cores_as_many_stay_as_are_free()
    {
        // Eight threads of which two have no core of their own any more.
        var pace = new ThreadPace(8);
        for (var step = 0; step < 400; step++)
        {
            pace.Observe(step < 50 ? Calm : pace.Threads > 6 ? 5 * Calm : Calm * 8 / pace.Threads, tokens: 1);
        }

        Assert.Equal(6, pace.Threads);
    }

    [Fact]
    public void A_single_slow_step_changes_nothing()
    {
        var pace = new ThreadPace(2);
        for (var step = 0; step < 18; step++)
        {
            pace.Observe(step is 9 or 12 ? 2 * Calm : Calm / 10, tokens: 1);
            if (step > 9)
            {
                Assert.InRange(pace.Threads, 1, 2);
            }
        }

        Assert.Equal(2, pace.Threads);
    }

    [Fact]
    public void Steps_of_different_sizes_are_not_compared()
    {
        var pace = new ThreadPace(2);
        for (var step = 0; step < 300; step++)
        {
            pace.Observe(step % 2 == 0 ? Calm / 10 : Calm, tokens: 1 + (step % 2));
        }

        Assert.Equal(2, pace.Threads);
        Assert.False(pace.IsReduced);
    }

    [Fact]
    public void One_thread_is_left_alone()
    {
        var used = Run(new ThreadPace(1), 100, isBusy: true);

        Assert.All(used, t => Assert.Equal(1, t));
    }
}
