using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PsyLite.Agent;
using PsyLite.Store.Conversations;
using PsyLite.Store.Keys;

namespace PsyLite.Store.Sql;

/// <summary>
/// The turn protocol. A turn takes two messages: the person's, committed when it begins, and the reply, which is open until it is committed
/// as a whole together with the risk state. Whatever kills the program in between leaves an open reply without a word in it.
/// </summary>
internal sealed class SqlTurns(StoreDatabase database)
{
    public Task<TurnStart> BeginAsync(string owner, string id, string turnId, string text, CancellationToken cancellationToken) =>
        database.WriteAsync(db => BeginAsync(db, owner, id, turnId, text, cancellationToken), cancellationToken);

    /// <summary>Begins the first turn of a conversation that the transaction of <paramref name="db"/> has just added.</summary>
    public TurnStart BeginFirst(StoreContext db, ConversationRow conversation, DataKey key, string turnId, string text)
    {
        Add(db, conversation.Id, turnId, 0, text, key);
        return new TurnStart(TurnStanding.Begun, ReadState(conversation, key), null);
    }

    /// <summary>The same in the transaction of <paramref name="db"/>.</summary>
    public async Task<TurnStart> BeginAsync(StoreContext db, string owner, string id, string turnId, string text, CancellationToken cancellationToken)
    {
        if (await FindAsync(db, owner, id, cancellationToken) is not var (conversation, key))
        {
            return TurnStart.Unknown;
        }

        var state = ReadState(conversation, key);
        var known = await database.Queries.Reply(db, id, turnId, cancellationToken);
        if (known is { Stage: MessageStage.Committed })
        {
            return new TurnStart(TurnStanding.Finished, state, key.Open<MessageBody>(known.Body, Seals.Body(id, turnId, known.Ordinal, known.Author)));
        }

        Touch(conversation);
        var (last, ordinal) = await LastAsync(db, id, cancellationToken);
        if (known is not null && known.Ordinal == last?.Ordinal)
        {
            var isOpen = known.Stage == MessageStage.Open;
            known.Stage = MessageStage.Open;
            known.Pending = null;
            return new TurnStart(TurnStanding.BegunAgain, state, null) { IsOpen = isOpen };
        }

        if (known is not null)
        {
            // A retry of a turn that later ones have left behind: it cannot be put in between.
            return TurnStart.Unknown;
        }

        state = Settle(conversation, last, state, key);
        Add(db, id, turnId, ordinal, text, key);
        return new TurnStart(TurnStanding.Begun, state, null);
    }

    public Task NoteRiskAsync(string owner, string id, string turnId, ConversationState state, CancellationToken cancellationToken)
    {
        // The turn goes on changing its state; what is written is what it was at this moment.
        var bytes = StateRecord.Write(state);
        state = StateRecord.Read(bytes);
        return database.WriteAsync(
            async db =>
            {
                if (await FindAsync(db, owner, id, cancellationToken) is var (conversation, key)
                    && await LastAsync(db, id, cancellationToken) is ({ Stage: MessageStage.Open or MessageStage.Broken } reply, _) && reply.TurnId == turnId)
                {
                    reply.Pending = key.SealBytes(bytes, Seals.Pending(id, turnId));
                    await SqlTickets.FollowAsync(database, db, state, id, key, cancellationToken);
                    Touch(conversation);
                }

                return true;
            },
            cancellationToken);
    }

    public Task<bool> CommitAsync(string owner, string id, string turnId, MessageBody body, ConversationState state, CancellationToken cancellationToken)
    {
        // The turn goes on changing its state; what is written is what it was at this moment.
        var bytes = StateRecord.Write(state);
        state = StateRecord.Read(bytes);
        return database.WriteAsync(
            async db =>
            {
                if (await FindAsync(db, owner, id, cancellationToken) is not var (conversation, key)
                    || await LastAsync(db, id, cancellationToken) is not ({ Stage: MessageStage.Open or MessageStage.Broken } reply, _) || reply.TurnId != turnId)
                {
                    return false;
                }

                reply.Stage = MessageStage.Committed;
                reply.At = database.Now;
                reply.Body = key.Seal(body, Seals.Body(id, turnId, reply.Ordinal, Author.Program));
                reply.Pending = null;
                conversation.State = key.SealBytes(bytes, Seals.State(id));
                await SqlTickets.FollowAsync(database, db, state, id, key, cancellationToken);
                Touch(conversation);
                return true;
            },
            cancellationToken);
    }

    public Task BreakAsync(string owner, string id, string turnId, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            if (await FindAsync(db, owner, id, cancellationToken) is var (conversation, _)
                && await LastAsync(db, id, cancellationToken) is ({ Stage: MessageStage.Open } reply, _) && reply.TurnId == turnId)
            {
                reply.Stage = MessageStage.Broken;
                Touch(conversation);
            }

            return true;
        },
        cancellationToken);

    public Task<bool> RewindAsync(string owner, string id, string turnId, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            if (await FindAsync(db, owner, id, cancellationToken) is not var (conversation, key)
                || await LastAsync(db, id, cancellationToken) is not ({ } last, _)
                || await db.Messages.Where(m => m.ConversationId == id && m.TurnId == turnId).MinAsync(m => (int?)m.Ordinal, cancellationToken) is not { } ordinal)
            {
                return false;
            }

            Settle(conversation, last, ReadState(conversation, key), key);
            Touch(conversation);
            db.Messages.RemoveRange(await db.Messages.Where(m => m.ConversationId == id && m.Ordinal >= ordinal).ToListAsync(cancellationToken));
            return true;
        },
        cancellationToken);

    /// <summary>Adds what a counsellor writes, outside any turn.</summary>
    public Task<bool> AddCounsellorAsync(string id, string text, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            if (await database.TakeAsync(db, id, cancellationToken) is not var (conversation, key))
            {
                return false;
            }

            var (last, ordinal) = await LastAsync(db, id, cancellationToken);
            Settle(conversation, last, ReadState(conversation, key), key);
            Touch(conversation);
            var turn = Guid.NewGuid().ToString("N");
            db.Messages.Add(Row(id, turn, ordinal, Author.Counsellor, MessageStage.Committed, key.Seal(new MessageBody(text), Seals.Body(id, turn, ordinal, Author.Counsellor))));
            return true;
        },
        cancellationToken);

    /// <summary>Changes the risk state outside a turn: a counsellor has looked and lifts the danger, or a check-in raises it.</summary>
    public Task<bool> ChangeStateAsync(string id, Action<ConversationState> change, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            if (await database.TakeAsync(db, id, cancellationToken) is not var (conversation, key))
            {
                return false;
            }

            var state = ReadState(conversation, key);
            state = await LastAsync(db, id, cancellationToken) is ({ Pending.Length: > 0 } last, _) ? Settle(conversation, last, state, key) : state;
            change(state);
            conversation.State = key.SealBytes(StateRecord.Write(state), Seals.State(id));
            await SqlTickets.FollowAsync(database, db, state, id, key, cancellationToken);
            Touch(conversation);
            return true;
        },
        cancellationToken);

    /// <summary>Marks the replies that an earlier run of the program left open before this time. Gives how many there were.</summary>
    public Task<int> RecoverAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var limit = before.ToUnixTimeMilliseconds();
        return database.WriteAsync(
            db => db.Messages.Where(m => m.Stage == MessageStage.Open && m.At < limit)
                .ExecuteUpdateAsync(set => set.SetProperty(m => m.Stage, MessageStage.Broken), cancellationToken),
            cancellationToken);
    }

    /// <summary>
    /// A state that was changed from outside counts as none: with no turns in it, the next turn reads the whole conversation for risk again.
    /// </summary>
    public static ConversationState ReadState(ConversationRow conversation, DataKey key)
    {
        try
        {
            return StateRecord.Read(key.OpenBytes(conversation.State, Seals.State(conversation.Id)));
        }
        catch (CryptographicException)
        {
            return new ConversationState { Id = conversation.Id };
        }
    }

    /// <summary>
    /// The state with which a new turn begins when the one before it broke off: what that turn had made of the risk if it came so far, else
    /// a state that makes the next turn read the conversation again. Its reply stays broken.
    /// </summary>
    private static ConversationState Settle(ConversationRow conversation, MessageRow? last, ConversationState state, DataKey key)
    {
        // No bytes, as against none, says that this was done before.
        if (last is null or { Stage: MessageStage.Committed } or { Pending.Length: 0 })
        {
            return state;
        }

        last.Stage = MessageStage.Broken;
        if (last.Pending is { } pending)
        {
            state = StateRecord.Read(key.OpenBytes(pending, Seals.Pending(conversation.Id, last.TurnId)));
        }
        else
        {
            state.Turns = 0;
        }

        last.Pending = [];
        conversation.State = key.SealBytes(StateRecord.Write(state), Seals.State(conversation.Id));
        return state;
    }

    private async Task<(ConversationRow Conversation, DataKey Key)?> FindAsync(StoreContext db, string owner, string id, CancellationToken cancellationToken) =>
        await database.TakeAsync(db, id, cancellationToken) is var (conversation, key) && conversation.OwnerId == owner ? (conversation, key) : null;

    /// <summary>
    /// The reply of the last turn, and the next free place. What a counsellor writes while a turn runs stands behind its reply and takes nothing from it.
    /// </summary>
    private async Task<(MessageRow? Reply, int Next)> LastAsync(StoreContext db, string id, CancellationToken cancellationToken)
    {
        var last = await database.Queries.Newest(db, id, cancellationToken);
        var reply = last is { Author: Author.Counsellor } ? await database.Queries.NewestOfTurns(db, id, cancellationToken) : last;
        return (reply, last is null ? 0 : last.Ordinal + 1);
    }

    /// <summary>The person's message, and the open place of its reply.</summary>
    private void Add(StoreContext db, string id, string turnId, int ordinal, string text, DataKey key)
    {
        var body = key.Seal(new MessageBody(text), Seals.Body(id, turnId, ordinal, Author.Person));
        db.Messages.Add(Row(id, turnId, ordinal, Author.Person, MessageStage.Committed, body));
        db.Messages.Add(Row(id, turnId, ordinal + 1, Author.Program, MessageStage.Open, null));
    }

    private void Touch(ConversationRow conversation)
    {
        conversation.Updated = database.Now;
        conversation.Version++;
    }

    private MessageRow Row(string id, string turn, int ordinal, Author author, MessageStage stage, byte[]? body) =>
        new() { ConversationId = id, TurnId = turn, Ordinal = ordinal, Author = author, Stage = stage, At = database.Now, Body = body };
}
