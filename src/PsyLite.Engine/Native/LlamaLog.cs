using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>
/// Where llama.cpp's log lines go: to whoever listens, by default to nobody. Safe to use from several threads.
/// </summary>
internal sealed class LlamaLog
{
    private ImmutableArray<Action<LlamaLogLine>> listeners = [];

    /// <summary>Takes the place of llama.cpp's printing to stderr.</summary>
    public unsafe void Attach() => LlamaNative.SetLog(&OnLine, GCHandle.ToIntPtr(GCHandle.Alloc(this)));

    /// <summary>Calls back for each line, on the thread that logs, until the result is disposed.</summary>
    public IDisposable Listen(Action<LlamaLogLine> listener)
    {
        ImmutableInterlocked.Update(ref listeners, (all, one) => all.Add(one), listener);
        return new Listening(this, listener);
    }

    /// <summary>Collects this thread's errors until disposed: llama.cpp tells why a call failed only there.</summary>
    public CollectedErrors CollectErrors() => new(this);

    private void Write(LlamaLogLine line)
    {
        foreach (var listener in listeners)
        {
            listener(line);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe void OnLine(int level, byte* text, nint userData)
    {
        var log = (LlamaLog)GCHandle.FromIntPtr(userData).Target!;
        if (log.listeners.IsEmpty || !Enum.IsDefined((LlamaLogLevel)level))
        {
            return;
        }

        var line = Marshal.PtrToStringUTF8((nint)text)?.Trim();
        if (!string.IsNullOrEmpty(line))
        {
            log.Write(new LlamaLogLine((LlamaLogLevel)level, line));
        }
    }

    private sealed class Listening(LlamaLog log, Action<LlamaLogLine> listener) : IDisposable
    {
        public void Dispose() => ImmutableInterlocked.Update(ref log.listeners, (all, one) => all.Remove(one), listener);
    }

    internal sealed class CollectedErrors : IDisposable
    {
        private readonly int thread = Environment.CurrentManagedThreadId;
        private readonly List<string> lines = [];
        private readonly IDisposable listening;

        public CollectedErrors(LlamaLog log) => listening = log.Listen(line =>
        {
            if (line.Level == LlamaLogLevel.Error && Environment.CurrentManagedThreadId == thread)
            {
                lines.Add(line.Text);
            }
        });

        public IReadOnlyList<string> Lines => lines;

        public void Dispose() => listening.Dispose();
    }
}
