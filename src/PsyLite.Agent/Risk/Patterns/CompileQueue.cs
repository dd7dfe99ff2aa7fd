using System.Collections.Concurrent;

namespace PsyLite.Agent.Risk.Patterns;

/// <summary>Compiles expressions one after the other on a pool thread, so that turns keep the other cores.</summary>
internal sealed class CompileQueue
{
    private readonly ConcurrentQueue<TieredRegex> _waiting = new();
    private int _isRunning;

    public void Add(TieredRegex regex)
    {
        _waiting.Enqueue(regex);
        if (Interlocked.Exchange(ref _isRunning, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static self => self.Run(), this, preferLocal: false);
        }
    }

    private void Run()
    {
        do
        {
            while (_waiting.TryDequeue(out var regex))
            {
                regex.Compile();
            }

            Volatile.Write(ref _isRunning, 0);

            // Something may have come between the last look and the sign above.
        }
        while (!_waiting.IsEmpty && Interlocked.Exchange(ref _isRunning, 1) == 0);
    }
}
