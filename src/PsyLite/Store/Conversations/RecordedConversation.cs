using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Risk;

namespace PsyLite.Store.Conversations;

/// <summary>Opens the store when it is first needed, and puts its failures into one line.</summary>
internal sealed record StoreSource(Func<Task<IConversationStore>> OpenAsync, Func<Exception, string> Explain)
{
    public static StoreSource Of(IConversationStore store) => new(() => Task.FromResult(store), fault => fault.Message);
}

/// <summary>
/// One open conversation and its record. What happens is written in order, behind the turn; the first failure ends the record, and the conversation
/// goes on in memory. Used by one turn at a time.
/// </summary>
internal sealed class RecordedConversation
{
    private const int LongestTitle = 24;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200);
    private readonly StoreSource _source;
    private readonly Lock _lock = new();
    private readonly List<Said> _said = [];
    private Task _saving = Task.CompletedTask;
    private bool _isCreated;
    private bool _wantsHumour;
    private (string TurnId, ConversationState Before)? _broken;
    private string? _untold;

    private RecordedConversation(StoreSource source, string owner, ConversationState state, PersonSettings settings)
    {
        _source = source;
        Owner = owner;
        State = state;
        Settings = settings;
    }

    public string Owner { get; }

    public string Id => State.Id;

    /// <summary>Null before the first message.</summary>
    public string? Title { get; private set; }

    /// <summary>What was stored when the conversation was opened.</summary>
    public IReadOnlyList<StoredMessage> Messages { get; private init; } = [];

    public PersonSettings Settings { get; private set; }

    /// <summary>The risk state after the last turn.</summary>
    public ConversationState State { get; private set; }

    /// <summary>False once something could not be written: from there on this conversation is not saved.</summary>
    public bool IsSaved { get; private set; } = true;

    /// <summary>A conversation that is recorded from its first message on; without one there is nothing to keep.</summary>
    /// <param name="id">Its name; null makes one.</param>
    public static RecordedConversation Start(StoreSource source, string owner, PersonSettings settings, string? id = null) =>
        new(source, owner, settings.Begin(id ?? RecordId.Create()), settings);

    /// <summary>A stored conversation, to be gone on with; null when the owner has none of this id.</summary>
    public static async Task<RecordedConversation?> OpenAsync(StoreSource source, string owner, string id, CancellationToken cancellationToken)
    {
        if (await (await source.OpenAsync()).OpenAsync(owner, id, cancellationToken) is not { } stored)
        {
            return null;
        }

        var conversation = new RecordedConversation(source, owner, stored.State, stored.Summary.Head.Settings)
        {
            _isCreated = true,
            Title = stored.Summary.Head.Title,
            Messages = stored.Messages,
        };
        conversation._said.AddRange(stored.Messages.Where(m => m.Body is not null).Select(m => new Said(m.TurnId, m.Author, m.Body!)));
        return conversation;
    }

    /// <summary>What the person has to be told, once: that this conversation is not being saved, and why.</summary>
    public string? TakeProblem()
    {
        lock (_lock)
        {
            (var line, _untold) = (_untold, null);
            return line;
        }
    }

    /// <summary>Waits until everything so far is written, or cannot be.</summary>
    public Task SavedAsync()
    {
        lock (_lock)
        {
            return _saving;
        }
    }

    /// <summary>Drops this turn and all after it. The risk that they raised stays.</summary>
    public Task RewindAsync(string turnId)
    {
        var first = _said.FindIndex(s => s.TurnId == turnId);
        if (first >= 0)
        {
            _said.RemoveRange(first, _said.Count - first);
            _broken = null;
        }

        return Queue(store => store.RewindAsync(Owner, Id, turnId, CancellationToken.None), false);
    }

    /// <summary>Gives the conversation another title.</summary>
    public Task RenameAsync(string title)
    {
        Title = title;
        return Queue(store => store.ChangeAsync(Owner, Id, head => head with { Title = title }, CancellationToken.None), false);
    }

    /// <summary>Takes over what the person has settled meanwhile; called between turns.</summary>
    public Task SettleAsync(PersonSettings settings)
    {
        if (settings == Settings)
        {
            return Task.CompletedTask;
        }

        _wantsHumour |= settings.HumourAllowed && !Settings.HumourAllowed;
        Settings = settings;
        return _isCreated ? Queue(store => store.ChangeAsync(Owner, Id, head => head with { Settings = settings }, CancellationToken.None), false) : Task.CompletedTask;
    }

    /// <summary>Writes into a turn's state what the person has settled since the conversation began.</summary>
    internal void Settle(ConversationState state)
    {
        (state.Contact, state.Region) = (Settings.Contact, Settings.Region ?? state.Region);
        state.HumourRefused &= !_wantsHumour;
    }

    /// <summary>The turn that this message began, if it is the newest; null otherwise. A client that sends it again means the same turn.</summary>
    public string? NewestTurnWith(string text) => _said.FindLast(s => s.Author == Author.Person) is { } newest && newest.Body.Text == text ? newest.TurnId : null;

    /// <summary>True before the first message.</summary>
    public bool IsEmpty => _said.Count == 0;

    /// <summary>The reply of a turn that is over.</summary>
    internal MessageBody? ReplyOf(string turnId) => _said.Find(s => s.TurnId == turnId && s.Author == Author.Program)?.Body;

    /// <summary>The risk state for a turn to change: as it was before this turn, should it have been tried already.</summary>
    internal ConversationState StateBefore(string turnId) => StateRecord.Copy(_broken is { } broken && broken.TurnId == turnId ? broken.Before : State);

    /// <summary>The visible conversation with this turn's message, once, as the newest.</summary>
    internal IReadOnlyList<ChatMessage> MessagesWith(string text, string turnId) =>
    [
        .. _said.Where(s => s.TurnId != turnId).Select(s => new ChatMessage(s.Author == Author.Person ? ChatRole.User : ChatRole.Assistant, s.Body.Text)),
        new ChatMessage(ChatRole.User, text),
    ];

    /// <summary>Writes the message; null when that failed.</summary>
    internal Task<TurnStart?> BeginAsync(string turnId, string text)
    {
        if (!_said.Exists(s => s.TurnId == turnId))
        {
            _said.Add(new Said(turnId, Author.Person, new MessageBody(text)));
        }

        return Queue<TurnStart?>(
            async store =>
            {
                var start = _isCreated
                    ? await store.BeginTurnAsync(Owner, Id, turnId, text, CancellationToken.None)
                    : await store.BeginConversationAsync(Owner, Id, new ConversationHead(Title ??= TitleOf(text), Settings), turnId, text, CancellationToken.None);
                _isCreated = true;
                return start.Standing != TurnStanding.Unknown ? start : throw new StoreException("the conversation was erased meanwhile.");
            },
            null);
    }

    /// <summary>Waits for the reply of a turn that somebody else is at; null when it broke off, or is not there in time.</summary>
    internal async Task<MessageBody?> FinishedElsewhereAsync(string turnId, TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var started = time.GetTimestamp(); time.GetElapsedTime(started) < longest; await Task.Delay(BetweenLooks, time, cancellationToken))
        {
            try
            {
                var stored = await (await _source.OpenAsync()).OpenAsync(Owner, Id, cancellationToken);
                var reply = stored?.Messages.LastOrDefault(m => m.TurnId == turnId && m.Author == Author.Program);
                if (reply is not { Stage: MessageStage.Open })
                {
                    return reply?.Body;
                }
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                // The boundary to the store: a turn that cannot be looked up is run.
                GiveUp(_source.Explain(fault));
                return null;
            }
        }

        return null;
    }

    internal Task NoteAsync(string turnId, ConversationState state)
    {
        var noted = StateRecord.Copy(state);
        return Queue(
            async store =>
            {
                await store.NoteRiskAsync(Owner, Id, turnId, noted, CancellationToken.None);
                return true;
            },
            false);
    }

    /// <param name="begun">How the turn stood in the store, where another page may have gone further than this one knows.</param>
    internal Task CommitAsync(string turnId, MessageBody reply, ConversationState state, Task<TurnStart?> begun)
    {
        (State, _broken, _wantsHumour) = (state, null, false);
        _said.Add(new Said(turnId, Author.Program, reply));
        var next = StateRecord.Copy(state);
        return Queue(
            async store =>
            {
                if (await begun is { } start && Severity.Of(start.State.Tier) > Severity.Of(next.Tier) && start.State.Turns >= next.Turns)
                {
                    (next.Tier, next.Ticket) = (start.State.Tier, next.Ticket ?? start.State.Ticket);
                    next.AwaitsClearing |= start.State.AwaitsClearing;
                }

                return await store.CommitTurnAsync(Owner, Id, turnId, reply, next, CancellationToken.None);
            },
            false,
            waits: true);
    }

    /// <summary>The turn ended without a reply. The risk that it saw stays.</summary>
    internal Task BreakAsync(string turnId, ConversationState before, ConversationState after)
    {
        (State, _broken, _wantsHumour) = (after, (turnId, before), false);
        return Queue(
            async store =>
            {
                await store.BreakTurnAsync(Owner, Id, turnId, CancellationToken.None);
                return true;
            },
            false);
    }

    /// <summary>Ends the record for the reason given.</summary>
    internal void GiveUp(string reason)
    {
        lock (_lock)
        {
            _untold = IsSaved ? reason : _untold;
            IsSaved = false;
        }
    }

    /// <summary>The title that a first message gives a conversation.</summary>
    public static string TitleOf(string text)
    {
        var line = text.ReplaceLineEndings(" ").Trim();
        return line.Length <= LongestTitle ? line : line[..(char.IsHighSurrogate(line[LongestTitle - 1]) ? LongestTitle - 1 : LongestTitle)] + "…";
    }

    /// <param name="waits">The caller has nothing else to do: its own thread writes, and no other has to wake up for it.</param>
    private Task<T> Queue<T>(Func<IConversationStore, Task<T>> work, T otherwise, bool waits = false)
    {
        lock (_lock)
        {
            var next = RunAsync(_saving, work, otherwise, waits);
            _saving = next;
            return next;
        }
    }

    private async Task<T> RunAsync<T>(Task before, Func<IConversationStore, Task<T>> work, T otherwise, bool waits)
    {
        await before.ConfigureAwait(waits ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ForceYielding);
        try
        {
            return IsSaved ? await work(await _source.OpenAsync()) : otherwise;
        }
        catch (Exception fault)
        {
            // The boundary between turns and the store: whatever is wrong with it, the conversation goes on.
            GiveUp(_source.Explain(fault));
            return otherwise;
        }
    }

    private sealed record Said(string TurnId, Author Author, MessageBody Body);
}
