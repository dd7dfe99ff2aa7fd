namespace PsyLite.Engine.Native;

/// <summary>
/// The tokens of one decode, of any number of sequences. The arrays are made once and pinned, since a small model's token takes
/// a third of a millisecond.
/// </summary>
internal sealed class TokenBatch
{
    private readonly int[] tokens;
    private readonly int[] positions;
    private readonly int[] sequences;
    private readonly int[] counts;
    private readonly nint[] pointers;
    private readonly byte[] outputs;

    public TokenBatch(int capacity)
    {
        tokens = GC.AllocateArray<int>(capacity, pinned: true);
        positions = GC.AllocateArray<int>(capacity, pinned: true);
        sequences = GC.AllocateArray<int>(capacity, pinned: true);
        counts = GC.AllocateArray<int>(capacity, pinned: true);
        pointers = GC.AllocateArray<nint>(capacity, pinned: true);
        outputs = GC.AllocateArray<byte>(capacity, pinned: true);
        counts.AsSpan().Fill(1);
        unsafe
        {
            for (var i = 0; i < capacity; i++)
            {
                fixed (int* sequence = &sequences[i])
                {
                    pointers[i] = (nint)sequence;
                }
            }
        }
    }

    public int Capacity => tokens.Length;

    public int Count { get; private set; }

    public int Free => Capacity - Count;

    public void Clear() => Count = 0;

    /// <summary>Adds a token; returns its index, by which its logits are found when they were asked for.</summary>
    public int Add(int token, int position, int sequence, bool output)
    {
        tokens[Count] = token;
        positions[Count] = position;
        sequences[Count] = sequence;
        outputs[Count] = output ? (byte)1 : (byte)0;
        return Count++;
    }

    /// <summary>Returns llama_decode's code.</summary>
    public unsafe int Decode(ContextHandle context)
    {
        fixed (int* token = tokens, position = positions, count = counts)
        fixed (nint* pointer = pointers)
        fixed (byte* output = outputs)
        {
            return LlamaNative.Decode(context, new Batch
            {
                Count = Count,
                Tokens = token,
                Positions = position,
                SequenceCounts = count,
                Sequences = (int**)pointer,
                Outputs = output,
            });
        }
    }
}
