using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>
/// The sequences of a context as a cache of conversations: each request gets the one that holds most of its prompt, or a copy
/// of it where others still need it, and leaves it behind for the next. For the decoding thread alone.
/// </summary>
internal sealed class SequencePool
{
    /// <summary>Losing fewer tokens than this of another conversation is cheaper than keeping them apart.</summary>
    private const int SmallLoss = 16;

    /// <summary>
    /// Losing this share of what is reused is, too: replies come back without their reasoning, or are asked for again. Where
    /// keeping both takes a copy, a whole.
    /// </summary>
    private const double LossShare = 0.25;
    private const double LossShareOfStreams = 1;

    /// <summary>Shared tokens from which copying a stream's whole buffer is faster than computing them.</summary>
    private const int WorthCopying = 64;

    private readonly ContextHandle context;
    private readonly CachedSequence[] sequences;
    private readonly CellLedger? cells;
    private readonly ConversationStore? store;
    private long uses;

    /// <param name="perSequence">Most tokens of one conversation.</param>
    public SequencePool(ContextHandle context, int count, int perSequence, bool sharedCells, ConversationStore? store)
    {
        this.context = context;
        this.store = store;
        sequences = [.. Enumerable.Range(0, count).Select(id => new CachedSequence(id))];
        Idle = count;
        cells = sharedCells ? new CellLedger(Math.Max(context.Cells, perSequence)) : null;
    }

    public int Idle { get; private set; }

    /// <summary>Cells that are held, by whoever; in separate streams the tokens of all.</summary>
    public int UsedCells => cells?.Used ?? sequences.Sum(s => s.Tokens.Count);

    /// <summary>How much of a prompt need not be computed.</summary>
    public int LongestPrefix(int[] prompt) => sequences.Max(s => s.PrefixOf(prompt));

    /// <summary>
    /// A sequence that holds as much of the prompt as anything does, with room for all of it and a reply; null when there is
    /// none before others end. What it holds behind the common prefix is gone.
    /// </summary>
    /// <param name="isPassing">
    /// A question that nobody goes on from: it works in an empty sequence, where one is and copies cost nothing, and leaves the conversation whole.
    /// </param>
    public CachedSequence? Acquire(int[] prompt, int room, bool isPassing = false)
    {
        if (Idle == 0)
        {
            return null;
        }

        var best = sequences.MaxBy(s => (s.PrefixOf(prompt), s.Busy ? 0 : 1, s.LastUse))!;
        var shared = best.PrefixOf(prompt);
        var stored = store?.Find(prompt.AsSpan(..^1), shared);
        var lost = best.Kept - shared;
        var forks = isPassing && cells is not null && stored is null && lost > SmallLoss && sequences.Any(s => !s.Busy && s.Tokens.Count == 0);
        var isSmall = lost <= Math.Max(SmallLoss, shared * (cells is null ? LossShareOfStreams : LossShare)) || shared == prompt.Length - 1;
        var inPlace = stored is null && !best.Busy && isSmall && !forks;
        var target = inPlace ? best : Victim(best);
        if (target == best)
        {
            Shorten(best, stored is null ? shared : 0);
        }
        else
        {
            Evict(target);
        }

        var needed = prompt.Length + room - (stored is null ? shared : 0);
        if (!MakeRoom(Math.Max(needed, stored?.Length ?? 0), target, best, stored is null ? shared : 0))
        {
            return null;
        }

        if (stored is not null && store!.Restore(stored, target, this))
        {
            Truncate(target, target.PrefixOf(prompt));
        }
        else if (target != best)
        {
            Copy(best, target, best.PrefixOf(prompt));
        }

        target.Limit = prompt.Length + room;
        target.IsFork = forks;
        Idle--;
        target.LastUse = ++uses;
        return target;
    }

    /// <summary>Leaves a sequence to whoever comes next.</summary>
    /// <param name="kept">Tokens worth keeping.</param>
    public void Release(CachedSequence sequence, int kept)
    {
        sequence.Limit = 0;
        Idle++;
        sequence.Kept = Math.Min(kept, sequence.Tokens.Count);
        if (sequence.IsFork)
        {
            Truncate(sequence, 0);
        }
    }

    /// <summary>Writes down tokens that were computed.</summary>
    public void Append(CachedSequence sequence, ReadOnlySpan<int> tokens)
    {
        sequence.Tokens.AddRange(tokens);
        cells?.Take(sequence.Cells, tokens.Length);
    }

    /// <summary>Takes cells that no conversation keeps.</summary>
    public void Borrow(List<int> borrowed, int count) => cells?.Take(borrowed, count);

    public void GiveBack(List<int> borrowed) => cells?.Release(borrowed, 0);

    /// <summary>Forgets all but the first tokens; all of them where the model's memory cannot give up a part.</summary>
    public void Truncate(CachedSequence sequence, int count)
    {
        if (count >= sequence.Tokens.Count && count > 0)
        {
            return;
        }

        if (count > 0 && !context.Truncate(sequence.Id, count))
        {
            count = 0;
        }

        if (count == 0)
        {
            context.Truncate(sequence.Id, 0);
        }

        sequence.Tokens.RemoveRange(count, sequence.Tokens.Count - count);
        sequence.Kept = Math.Min(sequence.Kept, count);
        sequence.Stored = Math.Min(sequence.Stored, count);
        cells?.Release(sequence.Cells, count);
    }

    /// <summary>Sets the books right after a decode that failed midway.</summary>
    public void Reconcile(CachedSequence sequence, ReadOnlySpan<int> attempted)
    {
        var finished = context.Count(sequence.Id) - sequence.Tokens.Count;
        if (finished >= 0 && finished <= attempted.Length)
        {
            Append(sequence, attempted[..finished]);
        }
        else
        {
            Truncate(sequence, 0);
        }
    }

    /// <summary>Keeps what idle sequences hold beyond the end of this process.</summary>
    public void StoreAll()
    {
        foreach (var sequence in sequences.OrderBy(s => s.LastUse))
        {
            Store(sequence);
        }
    }

    private void Store(CachedSequence sequence)
    {
        if (store is not null && store.IsWorthKeeping(sequence))
        {
            Truncate(sequence, sequence.Kept);
            store.Save(sequence);
        }
    }

    /// <summary>Gives up an idle conversation to make room; false when there is none.</summary>
    public bool EvictOldest()
    {
        var oldest = sequences.Where(s => !s.Busy && s.Tokens.Count > 0).MinBy(s => s.LastUse);
        if (oldest is null)
        {
            return false;
        }

        Evict(oldest);
        return true;
    }

    /// <summary>Where these books and llama.cpp's disagree; for tests.</summary>
    public IEnumerable<string> Inconsistencies()
    {
        foreach (var sequence in sequences)
        {
            var held = context.Count(sequence.Id);
            if (held != sequence.Tokens.Count || (cells is not null && sequence.Cells.Count != sequence.Tokens.Count))
            {
                yield return $"sequence {sequence.Id}: {held} in llama.cpp, {sequence.Tokens.Count} tokens, {sequence.Cells.Count} cells";
            }
        }

        var distinct = sequences.SelectMany(s => s.Cells).Distinct().Count();
        if (cells is not null && distinct != cells.Used)
        {
            yield return $"{cells.Used} cells are taken, {distinct} are held";
        }
    }

    private void Evict(CachedSequence sequence) => Shorten(sequence, 0);

    /// <summary>Truncates, after storing what is worth it of what goes.</summary>
    private void Shorten(CachedSequence sequence, int count)
    {
        if (sequence.Kept - count > SmallLoss)
        {
            Store(sequence);
        }

        Truncate(sequence, count);
    }

    private void Copy(CachedSequence source, CachedSequence target, int count)
    {
        if (source == target || count == 0 || (cells is null && count < WorthCopying))
        {
            return;
        }

        if (cells is null)
        {
            context.CopySequence(source.Id, target.Id);
            context.Truncate(target.Id, count);
        }
        else
        {
            context.CopySequence(source.Id, target.Id, 0, count);
            cells.Share(source.Cells, target.Cells, count);
        }

        target.Tokens.AddRange(source.Tokens[..count]);
    }

    /// <summary>The idle sequence that is missed least: an empty one, else the longest unused; never the one to copy from, unless it is the only one.</summary>
    private CachedSequence Victim(CachedSequence best) =>
        sequences.Where(s => !s.Busy).OrderBy(s => s == best).ThenBy(s => s.Tokens.Count > 0).ThenBy(s => s.LastUse).First();

    /// <summary>
    /// Gives up idle conversations, oldest first, until so many cells are free and promised to nobody. Of the one whose beginning
    /// is wanted, last in line, that beginning stays.
    /// </summary>
    private bool MakeRoom(int needed, CachedSequence target, CachedSequence source, int wanted)
    {
        if (cells is null)
        {
            return true;
        }

        var promised = sequences.Where(s => s.Busy).Sum(s => s.Limit - s.Tokens.Count);
        foreach (var idle in sequences.Where(s => !s.Busy && s != target).OrderBy(s => s == source).ThenBy(s => s.LastUse))
        {
            if (cells.Free - promised >= needed)
            {
                return true;
            }

            Shorten(idle, idle == source ? wanted : 0);
        }

        return cells.Free - promised >= needed;
    }
}
