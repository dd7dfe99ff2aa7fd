using PsyLite.Training.Kernels;

namespace PsyLite.Tests.Training;

public sealed class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_worker_runs_each_job_once_also_after_parking(int threads)
    {
        using var pool = new WorkerPool(threads);
        var counts = new int[threads];
        for (var job = 0; job < 400; job++)
        {
            pool.Run(worker => counts[worker]++);
            if (job % 100 == 0)
            {
                // Longer than the workers spin: the next job has to wake them.
                Thread.Sleep(5);
            }
        }

        Assert.All(counts, c => Assert.Equal(400, c));
    }

    [Theory]
    [InlineData(1, 7)]
    [InlineData(3, 2)]
    [InlineData(4, 1000)]
    public void Ranges_and_tasks_cover_everything_once(int threads, int count)
    {
        using var pool = new WorkerPool(threads);
        var (byRange, byTask) = (new int[count], new int[count]);
        pool.Ranges(count, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                Interlocked.Increment(ref byRange[i]);
            }
        });
        pool.Tasks(count, (_, task) => Interlocked.Increment(ref byTask[task]));
        Assert.All(byRange.Concat(byTask), n => Assert.Equal(1, n));
    }

    [Fact]
    public void A_barrier_separates_phases()
    {
        using var pool = new WorkerPool(4);
        var (written, missing) = (new int[4], 0);
        for (var round = 1; round <= 300; round++)
        {
            var current = round;
            pool.Run(worker =>
            {
                Volatile.Write(ref written[worker], current);
                pool.Barrier();
                if (written.Any(w => w != current))
                {
                    Interlocked.Increment(ref missing);
                }

                pool.Barrier();
            });
        }

        Assert.Equal(0, missing);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_failing_job_reaches_the_caller_and_the_pool_lives_on(int failing)
    {
        using var pool = new WorkerPool(2);
        var error = Assert.Throws<InvalidOperationException>(() => pool.Run(worker => _ = worker == failing ? throw new InvalidOperationException("broken") : 0));
        Assert.Equal("broken", error.Message);
        var sum = 0;
        pool.Tasks(10, (_, task) => Interlocked.Add(ref sum, task));
        Assert.Equal(45, sum);
    }

    [Fact]
    public void A_disposed_pool_refuses_work()
    {
        var pool = new WorkerPool(2);
        pool.Dispose();
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Run(_ => { }));
    }
}
