using System.Runtime.InteropServices;

namespace PsyLite.Training.Data.Mix;

/// <summary>
/// Texts that say nearly the same, among any number: MinHash signatures in flat memory (256 bytes a text) and locality-sensitive hashing by
/// sorting one band after another, so that no table of buckets is ever held. Of each group of duplicates the first stays.
/// </summary>
internal sealed class NearDuplicates
{
    /// <summary>Bands of four values: a pair at J = 0.8 is missed with probability (1 − 0.8⁴)^32 = 4e-8, at 0.6 with 0.01.</summary>
    private const int Rows = 4;
    private const int Bands = MinHash.Bins / Rows;

    /// <summary>Texts of one bucket that others are compared with; without a bound, half a million greetings would take years.</summary>
    private const int MostRivals = 48;

    /// <summary>Signatures of one block of memory.</summary>
    private const int BlockTexts = 1 << 14;
    private readonly List<ushort[]> _blocks = [];
    private readonly List<ulong> _exact = [];
    private readonly double _threshold;

    /// <param name="threshold">Similarity from which two texts are duplicates, 0.5 to 1.</param>
    public NearDuplicates(double threshold)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threshold, 0.5);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threshold, 1);
        _threshold = threshold;
    }

    public int Count => _exact.Count;

    /// <summary>Texts that differ after folding.</summary>
    public int Distinct => _exact.Distinct().Count();

    /// <summary>Adds texts, in order; signs them on all processors.</summary>
    public void Add(IReadOnlyList<string> texts)
    {
        var first = _exact.Count;
        while ((long)_blocks.Count * BlockTexts < first + texts.Count)
        {
            _blocks.Add(new ushort[BlockTexts * MinHash.Bins]);
        }

        CollectionsMarshal.SetCount(_exact, first + texts.Count);
        Parallel.For(0, texts.Count, () => new MinHash(), (i, _, hash) =>
        {
            _exact[first + i] = hash.Sign(texts[i], Signature(first + i));
            return hash;
        }, _ => { });
    }

    /// <returns>For each text the first of its group: itself where it stays.</returns>
    public int[] Groups(CancellationToken cancellationToken)
    {
        var parent = new int[Count];
        for (var i = 0; i < parent.Length; i++)
        {
            parent[i] = i;
        }

        Exact(parent);
        var keys = new ulong[Count];
        var order = new int[Count];
        for (var band = 0; band < Bands; band++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var kept = 0;
            for (var i = 0; i < parent.Length; i++)
            {
                // What has its place in a group already need not find it again.
                if (parent[i] == i)
                {
                    keys[kept] = MemoryMarshal.Cast<ushort, ulong>(Signature(i).Slice(band * Rows, Rows))[0];
                    order[kept++] = i;
                }
            }

            Array.Sort(keys, order, 0, kept);
            for (var (from, to) = (0, 0); from < kept; from = to)
            {
                for (to = from + 1; to < kept && keys[to] == keys[from]; to++)
                {
                    // The run of one key.
                }

                if (to - from > 1)
                {
                    Array.Sort(order, from, to - from);
                    Join(order.AsSpan(from, to - from), parent);
                }
            }
        }

        return [.. Enumerable.Range(0, parent.Length).Select(i => Root(parent, i))];
    }

    private void Exact(int[] parent)
    {
        var seen = new Dictionary<ulong, int>(Count);
        for (var i = 0; i < parent.Length; i++)
        {
            ref var first = ref CollectionsMarshal.GetValueRefOrAddDefault(seen, _exact[i], out var isKnown);
            if (isKnown)
            {
                parent[i] = first;
            }
            else
            {
                first = i;
            }
        }
    }

    private void Join(ReadOnlySpan<int> run, int[] parent)
    {
        Span<int> rivals = stackalloc int[MostRivals];
        var count = 0;
        foreach (var text in run)
        {
            var isSame = false;
            for (var r = 0; r < count && !isSame; r++)
            {
                isSame = MinHash.Similarity(Signature(rivals[r]), Signature(text)) >= _threshold;
                if (isSame)
                {
                    // The run is in ascending order, so the earlier text stays.
                    parent[text] = rivals[r];
                }
            }

            if (!isSame && count < MostRivals)
            {
                rivals[count++] = text;
            }
        }
    }

    private static int Root(int[] parent, int text)
    {
        while (parent[text] != text)
        {
            text = parent[text];
        }

        return text;
    }

    private Span<ushort> Signature(int text) => _blocks[text / BlockTexts].AsSpan(text % BlockTexts * MinHash.Bins, MinHash.Bins);
}
