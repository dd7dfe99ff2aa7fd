using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PsyLite.Agent;
using PsyLite.Store.Conversations;
using PsyLite.Store.Keys;

namespace PsyLite.Store.Sql;

/// <summary>Conversations in a database, each sealed with a key of its own.</summary>
internal sealed class SqlConversationStore(StoreDatabase database) : IConversationStore
{
    /// <summary>Conversations that a search or an export has in its hands at a time.</summary>
    private const int PageLength = 32;
    private readonly SqlOwnerRecords _records = new(database);

    public bool IsLasting => true;

    public SqlTurns Turns { get; } = new(database);

    public Task<ConversationSummary> CreateAsync(string owner, string id, ConversationHead head, CancellationToken cancellationToken) =>
        database.WriteAsync(async db => Summary((await AddAsync(db, owner, id, head, cancellationToken)).Row, head), cancellationToken);

    public async Task<IReadOnlyList<ConversationSummary>> ListAsync(string owner, int skip, int most, CancellationToken cancellationToken) =>
        [.. (await PageAsync(owner, skip, most, cancellationToken)).Select(c => c.Summary)];

    public Task<StoredConversation?> OpenAsync(string owner, string id, CancellationToken cancellationToken) => database.ReadAsync(async db =>
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        if (await database.ConversationAsync(db, id, cancellationToken) is not var (row, key) || row.OwnerId != owner)
        {
            return null;
        }

        var messages = await database.Queries.Messages(db, id).ToListAsync(cancellationToken);
        return new StoredConversation(Summary(row, key), [.. messages.Select(m => Message(m, key))], SqlTurns.ReadState(row, key));
    });

    public Task<bool> ChangeAsync(string owner, string id, Func<ConversationHead, ConversationHead> change, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            if (await database.TakeAsync(db, id, cancellationToken) is not var (row, key) || row.OwnerId != owner)
            {
                return false;
            }

            row.Head = key.Seal(change(Head(row, key)), Seals.Head(id, owner));
            row.Version++;
            return true;
        },
        cancellationToken);

    public Task<TurnStart> BeginTurnAsync(string owner, string id, string turnId, string text, CancellationToken cancellationToken) =>
        Turns.BeginAsync(owner, id, RecordId.Checked(turnId), text, cancellationToken);

    public Task<TurnStart> BeginConversationAsync(string owner, string id, ConversationHead head, string turnId, string text, CancellationToken cancellationToken)
    {
        RecordId.Checked(turnId);
        return database.WriteAsync(
            async db =>
            {
                if (await database.TakeAsync(db, id, cancellationToken) is not null)
                {
                    // The same first message came twice, to two instances or two pages, and the other one was quicker.
                    return await Turns.BeginAsync(db, owner, id, turnId, text, cancellationToken);
                }

                var (row, key) = await AddAsync(db, owner, id, head, cancellationToken);
                return Turns.BeginFirst(db, row, key, turnId, text);
            },
            cancellationToken);
    }

    public Task NoteRiskAsync(string owner, string id, string turnId, ConversationState state, CancellationToken cancellationToken) =>
        Turns.NoteRiskAsync(owner, id, turnId, state, cancellationToken);

    public Task<bool> CommitTurnAsync(string owner, string id, string turnId, MessageBody reply, ConversationState state, CancellationToken cancellationToken) =>
        Turns.CommitAsync(owner, id, turnId, reply, state, cancellationToken);

    public Task BreakTurnAsync(string owner, string id, string turnId, CancellationToken cancellationToken) => Turns.BreakAsync(owner, id, turnId, cancellationToken);

    public Task<bool> RewindAsync(string owner, string id, string turnId, CancellationToken cancellationToken) => Turns.RewindAsync(owner, id, turnId, cancellationToken);

    /// <summary>One conversation in memory at a time: nothing is indexed, so nothing of it lies anywhere in clear.</summary>
    public async IAsyncEnumerable<SearchHit> SearchAsync(string owner, string words, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var wanted = new SearchText(words);
        for (var skip = 0; !wanted.IsEmpty; skip += PageLength)
        {
            var page = await PageAsync(owner, skip, PageLength, cancellationToken);
            foreach (var (summary, key) in page)
            {
                var rows = await database.ReadAsync(db => db.Messages.AsNoTracking()
                    .Where(m => m.ConversationId == summary.Id && m.Stage == MessageStage.Committed).OrderByDescending(m => m.Ordinal).ToListAsync(cancellationToken));
                foreach (var message in rows.Select(row => Message(row, key)))
                {
                    if (message.Body is { } body && wanted.Excerpt(body.Text) is { } excerpt)
                    {
                        yield return new SearchHit(summary, message.Ordinal, message.Author, message.At, excerpt);
                    }
                }
            }

            if (page.Count < PageLength)
            {
                yield break;
            }
        }
    }

    public async Task<bool> EraseAsync(string owner, string id, CancellationToken cancellationToken)
    {
        var erased = await database.WriteAsync(
            async db => await db.Conversations.AnyAsync(c => c.Id == id && c.OwnerId == owner, cancellationToken)
                && await Erasure.EraseAsync(db, [id], cancellationToken) > 0,
            cancellationToken);
        await (erased ? database.ScrubAsync(cancellationToken) : Task.CompletedTask);
        return erased;
    }

    public async Task<int> EraseOwnerAsync(string owner, CancellationToken cancellationToken)
    {
        var erased = await database.WriteAsync(db => Erasure.EraseOwnerAsync(db, owner, cancellationToken), cancellationToken);
        await database.ScrubAsync(cancellationToken);
        return erased;
    }

    public Task<PersonSettings> SettingsAsync(string owner, CancellationToken cancellationToken) => _records.SettingsAsync(owner, cancellationToken);

    public Task SetSettingsAsync(string owner, PersonSettings settings, CancellationToken cancellationToken) => _records.SetSettingsAsync(owner, settings, cancellationToken);

    public Task AddCheckInAsync(string owner, CheckIn checkIn, CancellationToken cancellationToken) =>
        checkIn.Fault() is { } fault ? throw new ArgumentException(fault) : _records.AddAsync(owner, OwnerRecordKind.CheckIn, checkIn.At, checkIn, cancellationToken);

    public Task<IReadOnlyList<CheckIn>> CheckInsAsync(string owner, CancellationToken cancellationToken) =>
        _records.ListAsync<CheckIn>(owner, OwnerRecordKind.CheckIn, cancellationToken);

    public Task AddConsentAsync(string owner, ConsentRecord consent, CancellationToken cancellationToken) =>
        _records.AddAsync(owner, OwnerRecordKind.Consent, consent.At, consent, cancellationToken);

    public Task<IReadOnlyList<ConsentRecord>> ConsentsAsync(string owner, CancellationToken cancellationToken) =>
        _records.ListAsync<ConsentRecord>(owner, OwnerRecordKind.Consent, cancellationToken);

    private async Task<(ConversationRow Row, DataKey Key)> AddAsync(StoreContext db, string owner, string id, ConversationHead head, CancellationToken cancellationToken)
    {
        await _records.OwnerAsync(db, owner, cancellationToken);
        var now = database.Now;
        var key = await database.AddKeyAsync(db, Seals.ConversationKey(id), cancellationToken);
        var state = head.Settings.Begin(RecordId.Checked(id));
        var row = new ConversationRow
        {
            Id = id,
            OwnerId = owner,
            Created = now,
            Updated = now,
            Head = key.Seal(head, Seals.Head(id, owner)),
            State = key.SealBytes(StateRecord.Write(state), Seals.State(id)),
        };
        db.Conversations.Add(row);
        return (row, key);
    }

    private Task<List<(ConversationSummary Summary, DataKey Key)>> PageAsync(string owner, int skip, int most, CancellationToken cancellationToken) => database.ReadAsync(async db =>
    {
        var rows = await db.Conversations.AsNoTracking().Where(c => c.OwnerId == owner)
            .OrderByDescending(c => c.Updated).ThenBy(c => c.Id).Skip(skip).Take(most).ToListAsync(cancellationToken);
        var names = rows.Select(r => Seals.ConversationKey(r.Id)).ToList();
        var keys = await db.DataKeys.AsNoTracking().Where(k => names.Contains(k.Id)).ToDictionaryAsync(k => k.Id, cancellationToken);
        var page = new List<(ConversationSummary, DataKey)>();
        foreach (var row in rows)
        {
            if (keys.TryGetValue(Seals.ConversationKey(row.Id), out var wrapped))
            {
                var key = database.Unwrap(wrapped);
                page.Add((Summary(row, key), key));
            }
        }

        return page;
    });

    private static ConversationSummary Summary(ConversationRow row, DataKey key) => Summary(row, Head(row, key));

    private static ConversationSummary Summary(ConversationRow row, ConversationHead head) => new(row.Id, Time(row.Created), Time(row.Updated), head);

    private static ConversationHead Head(ConversationRow row, DataKey key) => key.Open<ConversationHead>(row.Head, Seals.Head(row.Id, row.OwnerId));

    /// <summary>One message that was tampered with does not take the others away.</summary>
    private static StoredMessage Message(MessageRow row, DataKey key)
    {
        var (stage, body) = (row.Stage, (MessageBody?)null);
        if (stage == MessageStage.Committed)
        {
            try
            {
                body = key.Open<MessageBody>(row.Body, Seals.Body(row.ConversationId, row.TurnId, row.Ordinal, row.Author));
            }
            catch (CryptographicException)
            {
                stage = MessageStage.Damaged;
            }
        }

        return new StoredMessage(row.TurnId, row.Ordinal, row.Author, stage, Time(row.At), body);
    }

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
