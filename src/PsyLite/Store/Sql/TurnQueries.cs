using Microsoft.EntityFrameworkCore;
using PsyLite.Store.Conversations;

namespace PsyLite.Store.Sql;

/// <summary>A conversation with the data key that opens it; a null key is one that was erased.</summary>
internal sealed record KeyedConversation(ConversationRow Row, DataKeyRow? Key);

/// <summary>
/// What every turn asks the store, compiled once: translating a query costs several times what SQLite takes to answer it. Compiled queries belong to
/// one kind of database, so each open store has its own. Safe to share.
/// </summary>
internal sealed class TurnQueries
{
    /// <summary>A data key by its name, not tracked.</summary>
    public Func<StoreContext, string, CancellationToken, Task<DataKeyRow?>> Key { get; } = EF.CompileAsyncQuery(
        (StoreContext db, string name, CancellationToken _) => db.DataKeys.AsNoTracking().SingleOrDefault(k => k.Id == name));

    public Func<StoreContext, string, CancellationToken, Task<OwnerRow?>> Owner { get; } = EF.CompileAsyncQuery(
        (StoreContext db, string id, CancellationToken _) => db.Owners.SingleOrDefault(o => o.Id == id));

    /// <summary>A conversation by its id, with the key of the name, not tracked.</summary>
    public Func<StoreContext, string, string, CancellationToken, Task<KeyedConversation?>> Conversation { get; } = EF.CompileAsyncQuery(
        (StoreContext db, string id, string key, CancellationToken _) => (from c in db.Conversations.AsNoTracking()
                                                                          where c.Id == id
                                                                          from k in db.DataKeys.Where(k => k.Id == key).DefaultIfEmpty()
                                                                          select new KeyedConversation(c, k)).SingleOrDefault());

    /// <summary>All messages of a conversation in order, not tracked.</summary>
    public Func<StoreContext, string, IAsyncEnumerable<MessageRow>> Messages { get; } = EF.CompileAsyncQuery(
        (StoreContext db, string id) => db.Messages.AsNoTracking().Where(m => m.ConversationId == id).OrderBy(m => m.Ordinal).AsQueryable());

    public Func<StoreContext, string, CancellationToken, Task<MessageRow?>> Newest { get; } = EF.CompileAsyncQuery(
        (StoreContext db, string id, CancellationToken _) => db.Messages.Where(m => m.ConversationId == id).OrderByDescending(m => m.Ordinal).FirstOrDefault());

    public Func<StoreContext, string, CancellationToken, Task<MessageRow?>> NewestOfTurns { get; } = EF.CompileAsyncQuery(
        (StoreContext db, string id, CancellationToken _) =>
            db.Messages.Where(m => m.ConversationId == id && m.Author != Author.Counsellor).OrderByDescending(m => m.Ordinal).FirstOrDefault());

    /// <summary>The reply of a turn, by conversation and turn.</summary>
    public Func<StoreContext, string, string, CancellationToken, Task<MessageRow?>> Reply { get; } = EF.CompileAsyncQuery(
        (StoreContext db, string id, string turn, CancellationToken _) =>
            db.Messages.SingleOrDefault(m => m.ConversationId == id && m.TurnId == turn && m.Author == Author.Program));

    /// <summary>The open calls of a conversation.</summary>
    public Func<StoreContext, string, IAsyncEnumerable<TicketRow>> Tickets { get; } = EF.CompileAsyncQuery(
        (StoreContext db, string id) => db.Tickets.Where(t => t.ConversationId == id).AsQueryable());
}
