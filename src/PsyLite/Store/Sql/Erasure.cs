using Microsoft.EntityFrameworkCore;

namespace PsyLite.Store.Sql;

/// <summary>
/// Erasing: the wrapped key goes first, which makes every sealed byte noise wherever a copy of it lies; then the rows. The caller scrubs the file.
/// </summary>
internal static class Erasure
{
    /// <summary>Within the caller's transaction. Gives the number of conversations that are gone.</summary>
    public static async Task<int> EraseAsync(StoreContext db, IReadOnlyList<string> conversations, CancellationToken cancellationToken)
    {
        var keys = conversations.Select(Seals.ConversationKey).ToList();
        await db.DataKeys.Where(k => keys.Contains(k.Id)).ExecuteDeleteAsync(cancellationToken);
        await db.Tickets.Where(t => conversations.Contains(t.ConversationId)).ExecuteDeleteAsync(cancellationToken);
        await db.Takeovers.Where(t => conversations.Contains(t.ConversationId)).ExecuteDeleteAsync(cancellationToken);
        await db.Messages.Where(m => conversations.Contains(m.ConversationId)).ExecuteDeleteAsync(cancellationToken);
        return await db.Conversations.Where(c => conversations.Contains(c.Id)).ExecuteDeleteAsync(cancellationToken);
    }

    public static async Task<int> EraseOwnerAsync(StoreContext db, string owner, CancellationToken cancellationToken)
    {
        var erased = await EraseAsync(db, await db.Conversations.Where(c => c.OwnerId == owner).Select(c => c.Id).ToListAsync(cancellationToken), cancellationToken);
        var key = Seals.OwnerKey(owner);
        await db.DataKeys.Where(k => k.Id == key).ExecuteDeleteAsync(cancellationToken);
        await db.OwnerRecords.Where(r => r.OwnerId == owner).ExecuteDeleteAsync(cancellationToken);
        await db.Owners.Where(o => o.Id == owner).ExecuteDeleteAsync(cancellationToken);
        return erased;
    }
}

/// <summary>Erases conversations whose last message is older than they may be kept. Check-ins and consents stay until the person erases them.</summary>
internal sealed class Retention(StoreDatabase database, TimeSpan keep)
{
    /// <summary>Conversations that go in one transaction.</summary>
    private const int Batch = 200;

    /// <summary>Gives the number of conversations that are gone.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        if (keep <= TimeSpan.Zero)
        {
            return 0;
        }

        var limit = (database.Time.GetUtcNow() - keep).ToUnixTimeMilliseconds();
        var swept = 0;
        while (await SweepBatchAsync(limit, cancellationToken) is > 0 and var gone)
        {
            swept += gone;
        }

        await (swept > 0 ? database.ScrubAsync(cancellationToken) : Task.CompletedTask);
        return swept;
    }

    private Task<int> SweepBatchAsync(long limit, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            var old = await db.Conversations.Where(c => c.Updated < limit).OrderBy(c => c.Updated).Take(Batch).Select(c => c.Id).ToListAsync(cancellationToken);
            return old.Count == 0 ? 0 : await Erasure.EraseAsync(db, old, cancellationToken);
        },
        cancellationToken);
}
