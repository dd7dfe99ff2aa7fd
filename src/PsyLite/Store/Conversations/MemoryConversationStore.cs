using System.Runtime.CompilerServices;
using PsyLite.Agent;

namespace PsyLite.Store.Conversations;

/// <summary>
/// Temporary conversations: they live in this process and never touch a disk. The same protocol as in the database; a conversation beyond the
/// limit takes the place of the one that was used least recently.
/// </summary>
internal sealed class MemoryConversationStore(TimeProvider time, int most = 1000) : IConversationStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Kept> _conversations = [];
    private readonly Dictionary<string, PersonSettings> _settings = [];
    private readonly Dictionary<string, List<CheckIn>> _checkIns = [];
    private readonly Dictionary<string, List<ConsentRecord>> _consents = [];

    public bool IsLasting => false;

    public Task<ConversationSummary> CreateAsync(string owner, string id, ConversationHead head, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var state = head.Settings.Begin(RecordId.Checked(id));
        var kept = new Kept(owner, state) { Created = now, Updated = now, Head = head };
        lock (_lock)
        {
            if (_conversations.Count >= most)
            {
                _conversations.Remove(_conversations.MinBy(c => c.Value.Updated).Key);
            }

            _conversations[state.Id] = kept;
            return Task.FromResult(kept.Summary);
        }
    }

    public Task<IReadOnlyList<ConversationSummary>> ListAsync(string owner, int skip, int most, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<ConversationSummary>>(
                [.. _conversations.Values.Where(c => c.Owner == owner).Select(c => c.Summary).OrderByDescending(c => c.Updated).Skip(skip).Take(most)]);
        }
    }

    public Task<StoredConversation?> OpenAsync(string owner, string id, CancellationToken cancellationToken) =>
        With(owner, id, null, c => (StoredConversation?)new StoredConversation(c.Summary, [.. c.Messages], StateRecord.Copy(c.State)));

    public Task<bool> ChangeAsync(string owner, string id, Func<ConversationHead, ConversationHead> change, CancellationToken cancellationToken) => With(owner, id, false, c =>
    {
        c.Head = change(c.Head);
        return true;
    });

    public Task<TurnStart> BeginTurnAsync(string owner, string id, string turnId, string text, CancellationToken cancellationToken)
    {
        RecordId.Checked(turnId);
        return With(owner, id, TurnStart.Unknown, c =>
        {
            var known = c.Messages.Find(m => m.TurnId == turnId && m.Author == Author.Program);
            if (known is { Stage: MessageStage.Committed })
            {
                return new TurnStart(TurnStanding.Finished, StateRecord.Copy(c.State), known.Body);
            }

            c.Updated = time.GetUtcNow();
            if (known is not null)
            {
                c.Pending = null;
                return known == c.Messages[^1] ? new TurnStart(TurnStanding.BegunAgain, StateRecord.Copy(c.State), null) { IsOpen = known.Stage == MessageStage.Open } : TurnStart.Unknown;
            }

            c.Settle();
            c.Messages.Add(new StoredMessage(turnId, c.Messages.Count, Author.Person, MessageStage.Committed, c.Updated, new MessageBody(text)));
            c.Messages.Add(new StoredMessage(turnId, c.Messages.Count, Author.Program, MessageStage.Open, c.Updated, null));
            return new TurnStart(TurnStanding.Begun, StateRecord.Copy(c.State), null);
        });
    }

    public async Task<TurnStart> BeginConversationAsync(string owner, string id, ConversationHead head, string turnId, string text, CancellationToken cancellationToken)
    {
        RecordId.Checked(turnId);
        await CreateAsync(owner, id, head, cancellationToken);
        return await BeginTurnAsync(owner, id, turnId, text, cancellationToken);
    }

    public Task NoteRiskAsync(string owner, string id, string turnId, ConversationState state, CancellationToken cancellationToken)
    {
        var noted = StateRecord.Copy(state);
        return With(owner, id, false, c => c.IsLastOpen(turnId) && (c.Pending = noted) is not null);
    }

    public Task<bool> CommitTurnAsync(string owner, string id, string turnId, MessageBody reply, ConversationState state, CancellationToken cancellationToken)
    {
        var next = StateRecord.Copy(state);
        return With(owner, id, false, c =>
        {
            if (!c.IsLastOpen(turnId))
            {
                return false;
            }

            c.Updated = time.GetUtcNow();
            c.Messages[^1] = c.Messages[^1] with { Stage = MessageStage.Committed, Body = reply, At = c.Updated };
            (c.State, c.Pending) = (next, null);
            return true;
        });
    }

    public Task BreakTurnAsync(string owner, string id, string turnId, CancellationToken cancellationToken) => With(owner, id, false, c =>
    {
        var isOpen = c.IsLastOpen(turnId);
        c.Messages[^1] = isOpen ? c.Messages[^1] with { Stage = MessageStage.Broken } : c.Messages[^1];
        return isOpen;
    });

    public Task<bool> RewindAsync(string owner, string id, string turnId, CancellationToken cancellationToken) => With(owner, id, false, c =>
    {
        var ordinal = c.Messages.FindIndex(m => m.TurnId == turnId);
        if (ordinal < 0)
        {
            return false;
        }

        c.Settle();
        c.Messages.RemoveRange(ordinal, c.Messages.Count - ordinal);
        return true;
    });

    public async IAsyncEnumerable<SearchHit> SearchAsync(string owner, string words, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var wanted = new SearchText(words);
        foreach (var summary in wanted.IsEmpty ? [] : await ListAsync(owner, 0, most, cancellationToken))
        {
            var conversation = await OpenAsync(owner, summary.Id, cancellationToken);
            foreach (var message in (conversation?.Messages ?? []).Reverse())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (message.Body is { } body && wanted.Excerpt(body.Text) is { } excerpt)
                {
                    yield return new SearchHit(summary, message.Ordinal, message.Author, message.At, excerpt);
                }
            }
        }
    }

    public Task<bool> EraseAsync(string owner, string id, CancellationToken cancellationToken) => With(owner, id, false, _ => _conversations.Remove(id));

    public Task<int> EraseOwnerAsync(string owner, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var ids = _conversations.Where(c => c.Value.Owner == owner).Select(c => c.Key).ToList();
            ids.ForEach(id => _conversations.Remove(id));
            _settings.Remove(owner);
            _checkIns.Remove(owner);
            _consents.Remove(owner);
            return Task.FromResult(ids.Count);
        }
    }

    public Task<PersonSettings> SettingsAsync(string owner, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult(_settings.GetValueOrDefault(owner) ?? new PersonSettings());
        }
    }

    public Task SetSettingsAsync(string owner, PersonSettings settings, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _settings[owner] = settings;
            return Task.CompletedTask;
        }
    }

    public Task AddCheckInAsync(string owner, CheckIn checkIn, CancellationToken cancellationToken) =>
        checkIn.Fault() is { } fault ? throw new ArgumentException(fault) : Add(_checkIns, owner, checkIn);

    public Task<IReadOnlyList<CheckIn>> CheckInsAsync(string owner, CancellationToken cancellationToken) => Sorted(_checkIns, owner, c => c.At);

    public Task AddConsentAsync(string owner, ConsentRecord consent, CancellationToken cancellationToken) => Add(_consents, owner, consent);

    public Task<IReadOnlyList<ConsentRecord>> ConsentsAsync(string owner, CancellationToken cancellationToken) => Sorted(_consents, owner, c => c.At);

    private Task<T> With<T>(string owner, string id, T otherwise, Func<Kept, T> work)
    {
        lock (_lock)
        {
            return Task.FromResult(_conversations.TryGetValue(id, out var kept) && kept.Owner == owner ? work(kept) : otherwise);
        }
    }

    private Task Add<T>(Dictionary<string, List<T>> records, string owner, T record)
    {
        lock (_lock)
        {
            if (!records.TryGetValue(owner, out var list))
            {
                records[owner] = list = [];
            }

            list.Add(record);
            return Task.CompletedTask;
        }
    }

    private Task<IReadOnlyList<T>> Sorted<T>(Dictionary<string, List<T>> records, string owner, Func<T, DateTimeOffset> at)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<T>>([.. (records.GetValueOrDefault(owner) ?? []).OrderBy(at)]);
        }
    }

    private sealed class Kept(string owner, ConversationState state)
    {
        public string Owner { get; } = owner;

        public required DateTimeOffset Created { get; init; }

        public required DateTimeOffset Updated { get; set; }

        public required ConversationHead Head { get; set; }

        public List<StoredMessage> Messages { get; } = [];

        public ConversationState State { get; set; } = state;

        /// <summary>What the open or broken last turn made of the risk.</summary>
        public ConversationState? Pending { get; set; }

        public ConversationSummary Summary => new(State.Id, Created, Updated, Head);

        public bool IsLastOpen(string turnId) => Messages is [.., { Stage: MessageStage.Open or MessageStage.Broken } last] && last.TurnId == turnId;

        /// <summary>A turn broke off: what it knew of the risk holds, and without that the next turn reads the conversation again.</summary>
        public void Settle()
        {
            if (Messages is [.., { Stage: MessageStage.Open or MessageStage.Broken } last])
            {
                Messages[^1] = last with { Stage = MessageStage.Broken };
                State = Pending ?? State;
                State.Turns = Pending is null ? 0 : State.Turns;
                Pending = null;
            }
        }
    }
}
