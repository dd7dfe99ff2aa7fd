using System.Text;

namespace PsyLite.Engine.Remote;

/// <summary>What the first token's rivals say about labels of several tokens.</summary>
internal static class LabelReading
{
    /// <summary>
    /// Log likelihoods of the labels; null when the tokens name none of them, or one fits several. A label that is not among the tokens is
    /// taken to be as likely as the last of them, the most it can be, so that a weak lead does not look like a clear one.
    /// </summary>
    public static IReadOnlyList<double>? Read(IReadOnlyList<LikelyToken> tokens, IReadOnlyList<string> labels)
    {
        var wanted = labels.Select(Encoding.UTF8.GetBytes).ToList();
        var sums = new double[labels.Count];
        var least = double.PositiveInfinity;
        foreach (var (bytes, log) in tokens)
        {
            if (double.IsNaN(log) || log > 1e-6)
            {
                return null;
            }

            least = Math.Min(least, log);
            var begins = bytes.AsMemory(Leading(bytes));
            var fitting = begins.IsEmpty ? [] : Enumerable.Range(0, labels.Count).Where(i => Fits(wanted[i], begins.Span)).ToList();
            if (fitting.Count > 1)
            {
                return null;
            }

            if (fitting is [var label])
            {
                sums[label] += Math.Exp(log);
            }
        }

        return sums.All(s => s == 0) ? null : [.. sums.Select(s => Math.Min(s > 0 ? Math.Log(s) : least, 0))];
    }

    /// <summary>The token begins the label, or says all of it and goes on.</summary>
    private static bool Fits(ReadOnlySpan<byte> label, ReadOnlySpan<byte> token) => label.StartsWith(token) || token.StartsWith(label);

    private static int Leading(ReadOnlySpan<byte> bytes)
    {
        // Blanks, also as SentencePiece writes one: U+2581.
        var at = 0;
        while (at < bytes.Length)
        {
            var skipped = bytes[at] is (byte)' ' or (byte)'\n' ? 1 : bytes[at..].StartsWith("▁"u8) ? 3 : 0;
            if (skipped == 0)
            {
                break;
            }

            at += skipped;
        }

        return at;
    }
}
