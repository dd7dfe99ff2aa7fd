using System.Runtime.InteropServices;
using PsyLite.Engine.Native;
using PsyLite.Models.Gguf;

namespace PsyLite.Engine.Measuring;

/// <summary>
/// Stored blocks of normally distributed values in one type, quantised once. A tensor of any size is a random sequence of them, so
/// that a file is made as fast as the disk takes it, and still no two rows are alike.
/// </summary>
internal sealed class RandomBlocks
{
    /// <summary>Values in a block; a multiple of what every type packs together.</summary>
    private const int BlockElements = 256;

    /// <summary>16,384 blocks, 4 million values.</summary>
    private const int BlockCountBits = 14;
    private const int PartBlocks = 1 << 13;

    /// <summary>What InternLM2 and its kin start training with; keeps the logits of an untrained model small.</summary>
    private const double StandardDeviation = 0.02;

    private readonly byte[] stored;
    private readonly int blockBytes;

    /// <param name="values">As <see cref="Values"/> makes them.</param>
    public RandomBlocks(GgmlType type, float[] values)
    {
        blockBytes = checked((int)GgufWriter.BytesOf(type, BlockElements));
        stored = new byte[(1 << BlockCountBits) * blockBytes];
        Parallel.For(0, 16, part =>
        {
            var blocks = (1 << BlockCountBits) / 16;
            NativeQuantizer.Store(
                type, values.AsSpan(part * blocks * BlockElements, blocks * BlockElements), BlockElements, stored.AsSpan(part * blocks * blockBytes, blocks * blockBytes));
        });
    }

    public static float[] Values(int seed)
    {
        var random = new Random(seed);
        var values = new float[(1 << BlockCountBits) * BlockElements];
        for (var i = 0; i < values.Length; i += 2)
        {
            // Box-Muller.
            var radius = StandardDeviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            var (sin, cos) = Math.SinCos(2 * Math.PI * random.NextDouble());
            (values[i], values[i + 1]) = ((float)(radius * cos), (float)(radius * sin));
        }

        return values;
    }

    /// <summary>Writes so many elements, a multiple of 256, in an order that the seed decides.</summary>
    public void Write(Stream stream, long elements, ulong seed, CancellationToken cancellationToken)
    {
        var buffer = new byte[PartBlocks * blockBytes];
        for (var first = 0L; first < elements / BlockElements; first += PartBlocks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = (int)Math.Min((elements / BlockElements) - first, PartBlocks);
            for (var i = 0; i < part; i++)
            {
                var block = BlockAt(first + i, seed);
                stored.AsSpan(block * blockBytes, blockBytes).CopyTo(buffer.AsSpan(i * blockBytes));
            }

            stream.Write(buffer.AsSpan(0, part * blockBytes));
        }
    }

    /// <summary>Elements of a tensor as float32, in the same kind of order.</summary>
    public static void Read(float[] values, long start, Span<float> destination, ulong seed)
    {
        while (!destination.IsEmpty)
        {
            var (block, within) = Math.DivRem(start, BlockElements);
            var part = destination[..(int)Math.Min(BlockElements - within, destination.Length)];
            values.AsSpan((BlockAt(block, seed) * BlockElements) + (int)within, part.Length).CopyTo(part);
            start += part.Length;
            destination = destination[part.Length..];
        }
    }

    /// <summary>All blocks in one order, then all in another, and so on: rows of a single block differ, too, for 16,384 rows.</summary>
    private static int BlockAt(long index, ulong seed)
    {
        const int Mask = (1 << BlockCountBits) - 1;
        var order = Mixed(seed + (((ulong)index >> BlockCountBits) * 0x9E3779B97F4A7C15));
        return (int)((((ulong)index * (order | 1)) + (order >> 32)) & Mask);
    }

    /// <summary>The output function of SplitMix64.</summary>
    private static ulong Mixed(ulong state)
    {
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return state ^ (state >> 31);
    }

    /// <summary>A vector of ones: what normalisation layers start with.</summary>
    public static void WriteOnes(Stream stream, long count)
    {
        var ones = new float[count];
        Array.Fill(ones, 1f);
        stream.Write(MemoryMarshal.AsBytes(ones.AsSpan()));
    }
}
