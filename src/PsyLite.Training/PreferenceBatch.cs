namespace PsyLite.Training;

/// <summary>
/// One packed row of whole pairs: segment 2 i is the chosen conversation of pair i, segment 2 i + 1 the rejected one. Labels run from
/// the first token of the reply to the end of the segment, of chosen conversations from their beginning when the loss needs the prompt.
/// </summary>
public sealed class PreferenceBatch
{
    private readonly int[] _replyStarts;
    private readonly IReadOnlyList<(int[] Tokens, int Reply)> _conversations;
    private readonly bool _promptLabels;

    /// <param name="conversations">Tokens of chosen, rejected, chosen, … and the place of the first token of each reply, which is not 0.</param>
    /// <param name="promptLabels">Whether the prompts of chosen conversations carry labels too.</param>
    public PreferenceBatch(IReadOnlyList<(int[] Tokens, int Reply)> conversations, bool promptLabels)
    {
        if (conversations.Count == 0 || conversations.Count % 2 != 0 || conversations.Any(c => c.Reply < 1 || c.Reply >= c.Tokens.Length))
        {
            throw new ArgumentException("A pack needs whole pairs, and each side a prompt and a reply.");
        }

        (_conversations, _promptLabels) = (conversations, promptLabels);
        var (length, starts) = (conversations.Sum(c => c.Tokens.Length), new int[conversations.Count]);
        var (tokens, labels) = (new int[length], new int[length]);
        Array.Fill(labels, TrainingBatch.Ignored);
        _replyStarts = new int[conversations.Count];
        var at = 0;
        for (var i = 0; i < starts.Length; i++)
        {
            var (text, reply) = conversations[i];
            text.CopyTo(tokens, at);
            var first = promptLabels && i % 2 == 0 ? 0 : reply - 1;
            text.AsSpan(first + 1).CopyTo(labels.AsSpan(at + first));
            (starts[i], _replyStarts[i]) = (at, at + reply - 1);
            at += text.Length;
        }

        Row = new TrainingBatch(tokens, labels, starts);
    }

    public TrainingBatch Row { get; }

    public int Pairs => _replyStarts.Length / 2;

    /// <summary>Several packs as one: what a batch of more than one is.</summary>
    public static PreferenceBatch Join(IReadOnlyList<PreferenceBatch> packs) =>
        packs.Count == 1 ? packs[0] : new PreferenceBatch([.. packs.SelectMany(p => p._conversations)], packs[0]._promptLabels);

    /// <summary>Positions whose labels are the reply of a segment.</summary>
    public (int Start, int End) Segment(int segment) =>
        (_replyStarts[segment], (segment + 1 < _replyStarts.Length ? Row.SegmentStarts[segment + 1] : Row.Length) - 1);
}
