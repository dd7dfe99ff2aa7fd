using Microsoft.EntityFrameworkCore;
using PsyLite.Store.Conversations;

namespace PsyLite.Store.Sql;

/// <summary>Who has taken which conversation over. One counsellor at a time; the conversation's erasure takes it along.</summary>
internal sealed class SqlTakeovers(StoreDatabase database, SqlConversationStore conversations)
{
    /// <summary>A claim that was not closed for this long is no claim any more: its counsellor has gone home.</summary>
    private static readonly TimeSpan LongestClaim = TimeSpan.FromHours(12);

    /// <summary>The counsellors in charge, by conversation.</summary>
    public Task<Dictionary<string, string>> ListAsync(CancellationToken cancellationToken)
    {
        var limit = Limit;
        return database.ReadAsync(db => db.Takeovers.AsNoTracking().Where(t => t.At >= limit).ToDictionaryAsync(t => t.ConversationId, t => t.Counsellor, cancellationToken));
    }

    /// <returns>False when somebody else is in charge, or there is no such conversation.</returns>
    public Task<bool> ClaimAsync(string conversation, string counsellor, CancellationToken cancellationToken)
    {
        var limit = Limit;
        return database.WriteAsync(
            async db =>
            {
                if (await database.TakeAsync(db, conversation, cancellationToken) is null)
                {
                    return false;
                }

                var known = await db.Takeovers.SingleOrDefaultAsync(t => t.ConversationId == conversation, cancellationToken);
                if (known is not null && known.Counsellor != counsellor && known.At >= limit)
                {
                    return false;
                }

                if (known is null)
                {
                    db.Takeovers.Add(new TakeoverRow { ConversationId = conversation, Counsellor = counsellor, At = database.Now });
                }
                else
                {
                    (known.Counsellor, known.At) = (counsellor, database.Now);
                }

                return true;
            },
            cancellationToken);
    }

    public Task<bool> ReleaseAsync(string conversation, string counsellor, CancellationToken cancellationToken) => database.WriteAsync(
        async db => await db.Takeovers.Where(t => t.ConversationId == conversation && t.Counsellor == counsellor).ExecuteDeleteAsync(cancellationToken) > 0,
        cancellationToken);

    /// <summary>True while this counsellor is in charge of the conversation.</summary>
    public Task<bool> HoldsAsync(string conversation, string counsellor, CancellationToken cancellationToken)
    {
        var limit = Limit;
        return database.ReadAsync(db => db.Takeovers.AnyAsync(t => t.ConversationId == conversation && t.Counsellor == counsellor && t.At >= limit, cancellationToken));
    }

    /// <summary>A conversation whoever its owner is; the caller has made sure that the reader is in charge of it.</summary>
    public async Task<StoredConversation?> OpenAsync(string conversation, CancellationToken cancellationToken)
    {
        var owner = await database.ReadAsync(db => db.Conversations.AsNoTracking().Where(c => c.Id == conversation).Select(c => c.OwnerId).SingleOrDefaultAsync(cancellationToken));
        return owner is null ? null : await conversations.OpenAsync(owner, conversation, cancellationToken);
    }

    /// <summary>What was done for safety since then: counts of tiers and actions by day, UTC. No conversation, no pseudonym.</summary>
    public async Task<IReadOnlyList<CareCount>> CountsAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        var limit = since.ToUnixTimeMilliseconds();
        var rows = await database.ReadAsync(db => db.Audit.AsNoTracking().Where(r => r.At >= limit).Select(r => new { r.At, r.Tier, r.Action }).ToListAsync(cancellationToken));
        return [.. rows.GroupBy(r => (Day: DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeMilliseconds(r.At).UtcDateTime), r.Tier, r.Action))
            .Select(g => new CareCount(g.Key.Day, g.Key.Tier, g.Key.Action, g.Count())).OrderBy(c => c.Day)];
    }

    private long Limit => (database.Time.GetUtcNow() - LongestClaim).ToUnixTimeMilliseconds();
}

/// <summary>How often something was done on one day.</summary>
internal sealed record CareCount(DateOnly Day, string Tier, string Action, int Count);
