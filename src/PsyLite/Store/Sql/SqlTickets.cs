using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Risk;
using PsyLite.Store.Keys;

namespace PsyLite.Store.Sql;

/// <summary>
/// Open calls for a person, beside the conversations so that they are found without opening each. A ticket is part of the risk state and is
/// written and withdrawn in the same transaction.
/// </summary>
internal static class SqlTickets
{
    public static async Task FollowAsync(StoreDatabase database, StoreContext db, ConversationState state, string conversation, DataKey key, CancellationToken cancellationToken)
    {
        var rows = await database.Queries.Tickets(db, conversation).ToListAsync(cancellationToken);
        db.Tickets.RemoveRange(rows.Where(r => r.Id != state.Ticket?.Id));
        if (state.Ticket is not { } ticket)
        {
            return;
        }

        var body = key.Seal(ticket, Seals.Ticket(ticket.Id, conversation));
        var at = ticket.At.ToUnixTimeMilliseconds();
        if (rows.Find(r => r.Id == ticket.Id) is { } known)
        {
            (known.At, known.Body) = (at, body);
        }
        else
        {
            db.Tickets.Add(new TicketRow { Id = ticket.Id, ConversationId = conversation, At = at, Body = body });
        }
    }

    /// <summary>Every open ticket, of earlier runs and other instances too, oldest first.</summary>
    public static Task<IReadOnlyList<TakeoverTicket>> ListAsync(StoreDatabase database, CancellationToken cancellationToken) => database.ReadAsync(async db =>
    {
        var tickets = new List<TakeoverTicket>();
        foreach (var row in await db.Tickets.AsNoTracking().OrderBy(t => t.At).ToListAsync(cancellationToken))
        {
            try
            {
                if (await database.KeyAsync(db, Seals.ConversationKey(row.ConversationId), cancellationToken) is { } key)
                {
                    tickets.Add(key.Open<TakeoverTicket>(row.Body, Seals.Ticket(row.Id, row.ConversationId)));
                }
            }
            catch (CryptographicException)
            {
                // Someone changed the row: that a person is needed is still true, how urgently is not known.
                tickets.Add(new TakeoverTicket(row.Id, row.ConversationId, Tier.T3, DateTimeOffset.FromUnixTimeMilliseconds(row.At), ["ticket.damaged"]));
            }
        }

        return (IReadOnlyList<TakeoverTicket>)tickets;
    });
}
