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

    public int ContextLength => (int)LlamaNative.ContextLength(this);

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
        return new ContextHandle(context, model, library.CreateThreadpool(parameters.Threads), library.CreateThreadpool(parameters.BatchThreads));
    }

    /// <summary>Appends tokens to sequence 0; the logits of the last one are kept. Returns llama_decode's code.</summary>
    public unsafe int Decode(ReadOnlySpan<int> tokens)
    {
        fixed (int* first = tokens)
        {
            return LlamaNative.Decode(this, new Batch { Count = tokens.Length, Tokens = first });
        }
    }

    /// <summary>Computes tokens of several sequences at once; all spans have one entry per token. Returns llama_decode's code.</summary>
    public unsafe int Decode(ReadOnlySpan<int> tokens, ReadOnlySpan<int> positions, ReadOnlySpan<int> sequences, ReadOnlySpan<byte> outputs)
    {
        var counts = new int[tokens.Length];
        counts.AsSpan().Fill(1);
        var pointers = new nint[tokens.Length];
        fixed (int* tokenPointer = tokens, positionPointer = positions, sequencePointer = sequences, countPointer = counts)
        fixed (nint* sequencePointers = pointers)
        fixed (byte* outputPointer = outputs)
        {
            for (var i = 0; i < pointers.Length; i++)
            {
                pointers[i] = (nint)(sequencePointer + i);
            }

            return LlamaNative.Decode(this, new Batch
            {
                Count = tokens.Length,
                Tokens = tokenPointer,
                Positions = positionPointer,
                SequenceCounts = countPointer,
                Sequences = (int**)sequencePointers,
                Outputs = outputPointer,
            });
        }
    }

    /// <summary>Logits [vocabulary] of the i-th token of the last batch, or of the last output for -1; valid until the next decode.</summary>
    public unsafe ReadOnlySpan<float> Logits(int index)
    {
        var logits = LlamaNative.Logits(this, index);
        return logits is null ? throw new InvalidOperationException($"No logits were asked for at {index}.") : new ReadOnlySpan<float>(logits, vocabularySize);
    }

    /// <summary>Forgets what a sequence holds from a position on; false when the model's memory cannot do so.</summary>
    public bool Truncate(int sequence, int from) => LlamaNative.RemoveFromSequence(memory, sequence, from, -1) != 0;

    /// <summary>Lets a second sequence share what the first holds.</summary>
    public void CopySequence(int source, int target) => LlamaNative.CopySequence(memory, source, target, -1, -1);

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
