using PsyLite.Agent;
using PsyLite.Store.Conversations;

namespace PsyLite.Web.Live;

/// <summary>
/// The conversations that are open on pages or still being answered, for all owners. A stored one is let go when nobody looks and nothing
/// runs; a temporary one is gone some minutes after its last page. Safe to share.
/// </summary>
internal sealed class LiveConversations : IDisposable
{
    /// <summary>How long a temporary conversation waits for its page to come back, as after a reload or a lost connection.</summary>
    private static readonly TimeSpan TemporaryRest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromMinutes(1);

    /// <summary>Conversations with an open call for a person are looked at this often: a counsellor may answer at another instance.</summary>
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);
    private readonly TurnRoom _room;
    private readonly PersonRecords _records;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly HashSet<string> _dropped = [];
    private readonly ITimer _sweeps;
    private readonly ITimer _looks;
    private int _looking;

    public LiveConversations(TurnRoom room, PersonRecords records, TimeProvider time)
    {
        (_room, _records, _time) = (room, records, time);
        _sweeps = time.CreateTimer(_ => Sweep(), null, BetweenSweeps, BetweenSweeps);
        _looks = time.CreateTimer(_ => _ = LookAsync(), null, BetweenLooks, BetweenLooks);
    }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>A new conversation, watched by the caller, who lets it go with <see cref="Leave"/>.</summary>
    public LiveConversation Start(string owner, PersonSettings settings, bool isTemporary)
    {
        var record = RecordedConversation.Start(isTemporary ? _records.Temporary : _records.Lasting, owner, settings);
        return Watch(new LiveConversation(_room, record, isTemporary));
    }

    /// <summary>The conversation of this id, watched by the caller; null when the owner has none.</summary>
    public async Task<LiveConversation?> OpenAsync(string owner, string id, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(id, out var entry))
            {
                return entry.Conversation.Owner == owner ? Watch(entry.Conversation) : null;
            }
        }

        return await RecordedConversation.OpenAsync(_records.Lasting, owner, id, cancellationToken) is { } record
            ? Watch(new LiveConversation(_room, record, isTemporary: false))
            : null;
    }

    /// <summary>One page less looks at the conversation.</summary>
    public void Leave(LiveConversation conversation)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(conversation.Id, out var entry))
            {
                entry.Watchers--;
                entry.LeftAt = _time.GetTimestamp();
            }
        }

        Sweep();
    }

    /// <summary>Ends a conversation that is erased: its reply is stopped and no page finds it any more.</summary>
    public void Drop(string owner, string? id = null)
    {
        List<LiveConversation> dropped;
        lock (_lock)
        {
            dropped = [.. _entries.Values.Select(e => e.Conversation).Where(c => c.Owner == owner && (id is null || c.Id == id))];
            dropped.ForEach(c => _entries.Remove(c.Id));
            _dropped.UnionWith(dropped.Select(c => c.Id));
        }

        dropped.ForEach(c => c.Stop());
    }

    /// <summary>Shows what was written into a stored conversation from outside, such as by a counsellor, on the pages that have it open.</summary>
    public Task RefreshAsync(string id)
    {
        Entry? entry;
        lock (_lock)
        {
            entry = _entries.GetValueOrDefault(id);
        }

        return entry is { Conversation.IsTemporary: false } ? entry.Conversation.RefreshAsync(_records.Lasting) : Task.CompletedTask;
    }

    public void Dispose()
    {
        _sweeps.Dispose();
        _looks.Dispose();
    }

    /// <summary>Reads what counsellors wrote meanwhile into conversations that wait for one, at whichever instance. One look at a time.</summary>
    private async Task LookAsync()
    {
        if (Interlocked.Exchange(ref _looking, 1) == 1)
        {
            return;
        }

        try
        {
            List<LiveConversation> waiting;
            lock (_lock)
            {
                waiting = [.. _entries.Values.Where(e => e is { Watchers: > 0, Conversation: { IsTemporary: false, IsReplying: false, State.Ticket: not null } }).Select(e => e.Conversation)];
            }

            foreach (var conversation in waiting)
            {
                await conversation.RefreshAsync(_records.Lasting);
            }
        }
        catch (Exception)
        {
            // The boundary of work behind the pages: a store that does not answer now may do so at the next look.
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    private LiveConversation Watch(LiveConversation conversation)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(conversation.Id, out var entry))
            {
                entry = _entries[conversation.Id] = new Entry(conversation);
                conversation.Changed += () => Keep(conversation);
            }

            entry.Watchers++;
            return entry.Conversation;
        }
    }

    /// <summary>After a turn: what it made of the risk belongs to the person, and a conversation that nobody watches may go.</summary>
    private void Keep(LiveConversation conversation)
    {
        if (conversation.IsReplying)
        {
            return;
        }

        if (!conversation.IsTemporary)
        {
            _ = _records.KeepRiskAsync(conversation.Owner, conversation.State, () => IsKnown(conversation));
        }

        Sweep();
    }

    /// <summary>False once the conversation is dropped: nothing is written for it any more.</summary>
    private bool IsKnown(LiveConversation conversation)
    {
        lock (_lock)
        {
            return !_dropped.Contains(conversation.Id);
        }
    }

    private void Sweep()
    {
        List<LiveConversation> gone;
        lock (_lock)
        {
            gone = [.. _entries.Values.Where(IsDone).Select(e => e.Conversation)];
            gone.ForEach(c => _entries.Remove(c.Id));
        }

        foreach (var conversation in gone.Where(c => c.IsTemporary))
        {
            _ = _records.EraseTemporaryAsync(conversation.Owner, conversation.Id);
        }
    }

    private bool IsDone(Entry entry) => entry is { Watchers: <= 0, Conversation.IsReplying: false }
        && (!entry.Conversation.IsTemporary || _time.GetElapsedTime(entry.LeftAt) >= TemporaryRest);

    private sealed class Entry(LiveConversation conversation)
    {
        public LiveConversation Conversation => conversation;

        public int Watchers { get; set; }

        public long LeftAt { get; set; }
    }
}
