using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>
/// Owns a llama_context and its threads. One thread at a time may use it, except <see cref="RequestAbort"/>, which any thread may call.
/// </summary>
internal sealed class ContextHandle : SafeHandle
{
    private readonly ModelHandle model;
    private readonly nint decodeThreads;
    private readonly nint batchThreads;
    private readonly nint memory;
    private readonly int vocabularySize;

    /// <summary>Read by ggml between graph nodes; pinned so that its address holds as long as this object.</summary>
    private readonly int[] abort = GC.AllocateArray<int>(1, pinned: true);

    private ContextHandle(nint context, ModelHandle model, nint decodeThreads, nint batchThreads)
        : base(0, ownsHandle: true)
    {
        var added = false;
        model.DangerousAddRef(ref added);
        this.model = model;
        this.decodeThreads = decodeThreads;
        this.batchThreads = batchThreads;
        vocabularySize = LlamaNative.VocabularySize(model.Vocabulary);
        SetHandle(context);
        memory = LlamaNative.GetMemory(this);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Cells of the key/value cache, of all sequences together.</summary>
    public int Cells => (int)LlamaNative.ContextLength(this);

    /// <summary>Most tokens of one sequence.</summary>
    public int SequenceLength => (int)LlamaNative.SequenceLength(this);

    public int BatchLength => (int)LlamaNative.BatchLength(this);

    /// <summary>Makes a context; null when llama.cpp refuses, and its log says why.</summary>
    public static ContextHandle? Create(ModelHandle model, ContextParams parameters)
    {
        var context = LlamaNative.InitContext(model, parameters);
        if (context == 0)
        {
            return null;
        }

        // Pools of their own: the workers of the pool not in use sleep, while those of a shared one would spin through every token.
        var library = LlamaLibrary.Current;
        var handle = new ContextHandle(context, model, library.CreateThreadpool(parameters.Threads), library.CreateThreadpool(parameters.BatchThreads));
        handle.SetAdapters(model.Adapters);
        return handle;
    }

    /// <summary>Logits [vocabulary] of the i-th token of the last batch, or of the last output for -1; valid until the next decode.</summary>
    public unsafe ReadOnlySpan<float> Logits(int index)
    {
        var logits = LlamaNative.Logits(this, index);
        return logits is null ? throw new InvalidOperationException($"No logits were asked for at {index}.") : new ReadOnlySpan<float>(logits, vocabularySize);
    }

    /// <summary>Values of a text's vector.</summary>
    public int EmbeddingLength => LlamaNative.EmbeddingOutputLength(model);

    /// <summary>Pooled vector of a sequence of the last batch; valid until the next decode.</summary>
    public unsafe ReadOnlySpan<float> Embedding(int sequence)
    {
        var vector = LlamaNative.SequenceEmbedding(this, sequence);
        return vector is null ? throw new InvalidOperationException($"There is no vector of sequence {sequence}.") : new ReadOnlySpan<float>(vector, EmbeddingLength);
    }

    /// <summary>Forgets what a sequence holds from a position on; false when the model's memory cannot do so.</summary>
    public bool Truncate(int sequence, int from) => LlamaNative.RemoveFromSequence(memory, sequence, from, -1) != 0;

    /// <summary>Gives a second sequence what the first holds; with a unified cache they share the cells, else these are copied.</summary>
    public void CopySequence(int source, int target) => LlamaNative.CopySequence(memory, source, target, -1, -1);

    /// <summary>As <see cref="CopySequence(int, int)"/> for positions [from, to); for a unified cache only.</summary>
    public void CopySequence(int source, int target, int from, int to) => LlamaNative.CopySequence(memory, source, target, from, to);

    /// <summary>Bytes that the keys and values of a sequence take when written out.</summary>
    public long StateSize(int sequence) => (long)LlamaNative.StateSize(this, sequence);

    /// <summary>Writes out the keys and values of a sequence; returns how many bytes.</summary>
    public unsafe int GetState(int sequence, Span<byte> target)
    {
        fixed (byte* pointer = target)
        {
            return (int)LlamaNative.GetState(this, pointer, (nuint)target.Length, sequence);
        }
    }

    /// <summary>Replaces what a sequence holds by what was written out; false when it does not fit this model or the room that is left.</summary>
    public unsafe bool SetState(int sequence, ReadOnlySpan<byte> source)
    {
        fixed (byte* pointer = source)
        {
            return LlamaNative.SetState(this, pointer, (nuint)source.Length, sequence) != 0;
        }
    }

    /// <summary>Tokens that a sequence holds.</summary>
    public int Count(int sequence) => LlamaNative.LastPosition(memory, sequence) + 1;

    public void Clear() => LlamaNative.ClearMemory(memory, 0);

    /// <summary>Threads that work on one token and on a prompt; at most as many as the context was made with.</summary>
    public void SetThreads(int decode, int batch)
    {
        LlamaNative.AttachThreadpool(this, decode > 1 ? decodeThreads : 0, batch > 1 ? batchThreads : 0);
        LlamaNative.SetThreads(this, decode, batch);
    }

    /// <summary>Lets <see cref="RequestAbort"/> stop a decode midway; costs a call per graph node, so it is on for prompts only.</summary>
    public unsafe void AllowAbort(bool allow)
    {
        Volatile.Write(ref abort[0], 0);
        LlamaNative.SetAbort(this, allow ? &ShouldAbort : null, (nint)Unsafe.AsPointer(ref abort[0]));
    }

    public void RequestAbort() => Volatile.Write(ref abort[0], 1);

    private unsafe void SetAdapters(IReadOnlyList<(nint Adapter, float Scale)> adapters)
    {
        var (pointers, scales) = (adapters.Select(a => a.Adapter).ToArray(), adapters.Select(a => a.Scale).ToArray());
        fixed (nint* adapterPointer = pointers)
        fixed (float* scalePointer = scales)
        {
            if (pointers.Length > 0 && LlamaNative.SetAdapters(this, adapterPointer, (nuint)pointers.Length, scalePointer) != 0)
            {
                throw new InvalidOperationException("llama.cpp does not take the adapters that it loaded.");
            }
        }
    }

    protected override bool ReleaseHandle()
    {
        LlamaNative.FreeContext(handle);
        LlamaLibrary.Current.FreeThreadpool(decodeThreads);
        LlamaLibrary.Current.FreeThreadpool(batchThreads);
        model.DangerousRelease();
        return true;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe byte ShouldAbort(nint data) => *(int*)data != 0 ? (byte)1 : (byte)0;
}
