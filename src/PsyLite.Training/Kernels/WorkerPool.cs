using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace PsyLite.Training.Kernels;

/// <summary>
/// Dedicated threads that run the same job side by side; the calling thread is worker 0. Idle workers spin for a
/// moment (waking a parked thread costs about 245 us, a spinning one under 1 us) and then park, so that nothing
/// burns between steps. Not re-entrant: one caller at a time.
/// </summary>
public sealed class WorkerPool : IDisposable
{
    private static readonly long SpinTicks = Stopwatch.Frequency / 1000;

    /// <summary>About 2 us: when other programs compete for the processors, waiting must not keep one from whom we wait for.</summary>
    private const int PausesBetweenYields = 64;

    private readonly Thread[] _threads;
    private readonly object _wake = new();
    private Action<int>? _job;
    private ExceptionDispatchInfo? _failure;
    private int _generation;
    private int _finished;
    private int _parked;
    private int _arrived;
    private int _barrierPhase;
    private volatile bool _stopping;

    /// <param name="threads">Workers including the caller; 0 takes every processor.</param>
    public WorkerPool(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        Threads = threads == 0 ? Environment.ProcessorCount : threads;
        _threads = new Thread[Threads - 1];
        for (var i = 0; i < _threads.Length; i++)
        {
            var worker = i + 1;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"kernel {worker}" };
            _threads[i].Start();
        }
    }

    public int Threads { get; }

    /// <summary>Runs the job once on every worker, passing its number, and returns when all are done.</summary>
    internal void Run(Action<int> job)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (Threads == 1)
        {
            job(0);
            return;
        }

        _job = job;
        _finished = 0;
        Release();
        Guarded(job, 0);
        long start = 0;
        for (var pauses = 1; Volatile.Read(ref _finished) != Threads - 1; pauses++)
        {
            Pause(pauses, ref start);
        }

        if (Interlocked.Exchange(ref _failure, null) is { } failure)
        {
            failure.Throw();
        }
    }

    /// <summary>Splits [0, count) into one contiguous range per worker. Use only where the result does not depend on the split.</summary>
    internal void Ranges(int count, Action<int, int> job) => Run(worker =>
    {
        var from = (int)((long)count * worker / Threads);
        var to = (int)((long)count * (worker + 1) / Threads);
        if (to > from)
        {
            job(from, to);
        }
    });

    /// <summary>Hands out tasks 0..count-1 one at a time; the job receives (worker, task).</summary>
    internal void Tasks(int count, Action<int, int> job)
    {
        var next = 0;
        Run(worker =>
        {
            for (var task = Interlocked.Increment(ref next) - 1; task < count; task = Interlocked.Increment(ref next) - 1)
            {
                job(worker, task);
            }
        });
    }

    /// <summary>Inside a job: waits until every worker has come here. A job that uses it must not throw.</summary>
    internal void Barrier()
    {
        if (Threads == 1)
        {
            return;
        }

        var phase = Volatile.Read(ref _barrierPhase);
        if (Interlocked.Increment(ref _arrived) == Threads)
        {
            _arrived = 0;
            Volatile.Write(ref _barrierPhase, phase + 1);
            return;
        }

        long start = 0;
        for (var pauses = 1; Volatile.Read(ref _barrierPhase) == phase; pauses++)
        {
            Pause(pauses, ref start);
        }
    }

    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        Release();
        foreach (var thread in _threads)
        {
            thread.Join();
        }

    }

    private void Release()
    {
        Interlocked.Increment(ref _generation);
        if (Volatile.Read(ref _parked) > 0)
        {
            lock (_wake)
            {
                Monitor.PulseAll(_wake);
            }
        }
    }

    private void Work(int worker)
    {
        var seen = 0;
        while (true)
        {
            AwaitGeneration(seen);
            seen = Volatile.Read(ref _generation);
            if (_stopping)
            {
                return;
            }

            Guarded(_job!, worker);
            Interlocked.Increment(ref _finished);
        }
    }

    private void AwaitGeneration(int seen)
    {
        var start = Stopwatch.GetTimestamp();
        for (var pauses = 1; Volatile.Read(ref _generation) == seen; pauses++)
        {
            if (pauses % PausesBetweenYields != 0 || Stopwatch.GetTimestamp() - start < SpinTicks)
            {
                Pause(pauses, ref start);
                continue;
            }

            // A release after this increment sees us parked; one before it has already changed the generation. The condition is
            // looked at again under the lock: a permit of a semaphore could be taken by a worker that is done already.
            Interlocked.Increment(ref _parked);
            lock (_wake)
            {
                while (Volatile.Read(ref _generation) == seen)
                {
                    Monitor.Wait(_wake);
                }
            }

            Interlocked.Decrement(ref _parked);
        }
    }

    private void Guarded(Action<int> job, int worker)
    {
        try
        {
            job(worker);
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
        }
    }

    /// <summary>One turn of a waiting loop: pauses, then yields, and sleeps once the wait began longer than a spin period ago.</summary>
    private static void Pause(int pauses, ref long start)
    {
        if (pauses % PausesBetweenYields != 0)
        {
            Thread.SpinWait(1);
            return;
        }

        var now = Stopwatch.GetTimestamp();
        if (start == 0)
        {
            start = now;
        }

        if (now - start < SpinTicks)
        {
            Thread.Yield();
        }
        else
        {
            // Whoever we wait for has no processor: spinning on would take it from them.
            Thread.Sleep(1);
        }
    }
}
