using System.Buffers;

namespace PsyLite.Training.Data.Mix;

/// <summary>
/// One-permutation MinHash with optimal densification (Shrivastava 2017, "Optimal Densification for Fast and Accurate Minwise Hashing") over windows
/// of five characters: one hash a window, its low bits choose the bin, the least hash of a bin stays. Sixteen bits of it are kept, so
/// two texts agree in a bin with probability J + (1 − J)/65536. One instance serves one thread.
/// </summary>
internal sealed class MinHash
{
    /// <summary>Values of a signature: the standard error of the similarity is 0.035 at J = 0.8.</summary>
    public const int Bins = 128;

    private const int Window = 5;
    private readonly List<ulong> _windows = [];
    private readonly ulong[] _least = new ulong[Bins];
    private readonly ArrayBufferWriter<char> _folded = new(4096);

    /// <param name="signature"><see cref="Bins"/> values.</param>
    /// <returns>A hash of the folded text: equal for texts that differ in layout alone.</returns>
    public ulong Sign(ReadOnlySpan<char> text, Span<ushort> signature)
    {
        _folded.ResetWrittenCount();
        FoldedText.Fold(text, _folded);
        _windows.Clear();
        Hashing.Windows(_folded.WrittenSpan, Window, _windows);
        Array.Fill(_least, ulong.MaxValue);
        foreach (var hash in _windows)
        {
            ref var least = ref _least[(int)(hash & (Bins - 1))];
            least = Math.Min(least, hash);
        }

        for (var bin = 0; bin < Bins; bin++)
        {
            signature[bin] = (ushort)(_least[Filled(bin)] >> 48);
        }

        return Hashing.Of(_folded.WrittenSpan);
    }

    /// <summary>Share of bins that agree: an estimate of the Jaccard similarity of the two sets of windows.</summary>
    public static double Similarity(ReadOnlySpan<ushort> left, ReadOnlySpan<ushort> right)
    {
        var same = 0;
        for (var i = 0; i < Bins; i++)
        {
            same += left[i] == right[i] ? 1 : 0;
        }

        return (double)same / Bins;
    }

    /// <summary>An empty bin borrows from another that is found by hashing its number, the same one for every text where that one is full.</summary>
    private int Filled(int bin)
    {
        for (var attempt = 0UL; _least[bin] == ulong.MaxValue; attempt++)
        {
            bin = (int)(Hashing.Mix(((ulong)bin << 20) + attempt + 1) & (Bins - 1));
        }

        return bin;
    }
}
