namespace PsyLite.Agent.Risk;

/// <summary>
/// A folded view of a message. <see cref="Starts"/> and <see cref="Ends"/> give, for every character of the view, the
/// UTF-16 range of the original text that it stands for.
/// </summary>
internal sealed record NormalisedText(string Text, int[] Starts, int[] Ends)
{
    /// <summary>Marks the end of a sentence in a folded view (。 stays, ！？ have become ASCII).</summary>
    public const string SentenceEnds = "。!?\n";

    /// <summary>Marks the end of a clause in a folded view.</summary>
    public const string ClauseEnds = "。!?\n,、;:…";

    public (int Start, int Length) Original(int start, int length)
    {
        if (length == 0)
        {
            return (start < Starts.Length ? Starts[start] : 0, 0);
        }

        var low = int.MaxValue;
        var high = 0;
        for (var i = start; i < start + length; i++)
        {
            low = Math.Min(low, Starts[i]);
            high = Math.Max(high, Ends[i]);
        }

        return (low, high - low);
    }
}
