using System.Diagnostics;
using System.Numerics;

namespace PsyLite.Commands.Bench;

/// <summary>How fast all cores together read memory: the limit of decoding, which reads every weight once for each token.</summary>
internal static class MemoryBandwidth
{
    /// <summary>Bytes each core reads in a round: far more than any cache holds.</summary>
    private const int BytesPerCore = 256 << 20;
    private const int Rounds = 7;

    /// <summary>Median of some rounds, in bytes a second.</summary>
    public static double Measure()
    {
        var cores = Environment.ProcessorCount;
        var blocks = Enumerable.Range(0, cores).Select(_ => GC.AllocateUninitializedArray<long>(BytesPerCore / sizeof(long))).ToArray();
        foreach (var block in blocks)
        {
            block.AsSpan().Fill(1);
        }

        var rates = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            Parallel.ForEach(blocks, new ParallelOptions { MaxDegreeOfParallelism = cores }, block => GC.KeepAlive(Sum(block)));
            rates.Add(cores * (double)BytesPerCore / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return BenchLine.Median(rates);
    }

    private static long Sum(long[] block)
    {
        // Four sums, so that no addition waits for the one before.
        Vector<long> a = default, b = default, c = default, d = default;
        var step = Vector<long>.Count;
        for (var i = 0; i + (4 * step) <= block.Length; i += 4 * step)
        {
            a += new Vector<long>(block, i);
            b += new Vector<long>(block, i + step);
            c += new Vector<long>(block, i + (2 * step));
            d += new Vector<long>(block, i + (3 * step));
        }

        return Vector.Sum(a + b + c + d);
    }
}
