using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;

namespace PsyLite.Store.Audit;

/// <summary>One thing that was done, as the log keeps it: no word of anybody's.</summary>
internal sealed record AuditEntry(DateTimeOffset At, string Tier, string Rule, string Action, string? ModelHash, string? ConversationId);

/// <summary>What a check of the log found. <paramref name="Fault"/> is null when every record is as it was written.</summary>
internal sealed record AuditVerdict(long Records, string? Fault);

/// <summary>
/// The audit log: records that can be added and nothing else. Each carries a MAC over itself and the MAC of the record before it, so that a
/// record that was changed, moved, put in or taken out breaks the chain; the signed head tells when the end was cut off.
/// </summary>
internal sealed class AuditChain(StoreDatabase database, string headPath)
{
    private static readonly byte[] Beginning = new byte[32];

    public async Task AppendAsync(IReadOnlyList<AuditEntry> entries, CancellationToken cancellationToken)
    {
        var (head, key) = await database.WriteAsync(
            async db =>
            {
                var key = await KeyAsync(db, cancellationToken);
                var last = await db.Audit.AsNoTracking().OrderByDescending(r => r.Sequence).FirstOrDefaultAsync(cancellationToken);
                var (sequence, hash) = (last?.Sequence ?? 0, last?.Hash ?? Beginning);
                foreach (var entry in entries)
                {
                    var row = new AuditRow
                    {
                        Sequence = ++sequence,
                        At = entry.At.ToUnixTimeMilliseconds(),
                        Tier = entry.Tier,
                        Rule = entry.Rule,
                        Action = entry.Action,
                        ModelHash = entry.ModelHash,
                        Conversation = entry.ConversationId is { } id ? key.Pseudonym(id) : null,
                        Hash = [],
                    };
                    row.Hash = hash = HashOf(row, hash, key);
                    db.Audit.Add(row);
                }

                return (new AuditHead(sequence, hash), key);
            },
            cancellationToken);
        head.Write(headPath, key);
    }

    /// <summary>Reads the whole log from its beginning and stops at the first record that is not as it was written.</summary>
    public async Task<AuditVerdict> VerifyAsync(CancellationToken cancellationToken)
    {
        if (await database.ReadAsync(db => database.KeyAsync(db, Seals.AuditKey, cancellationToken)) is not { } key)
        {
            return new AuditVerdict(0, File.Exists(headPath) ? "the log and its key are gone, though records were written." : null);
        }

        AuditHead? head;
        try
        {
            head = AuditHead.Read(headPath, key);
        }
        catch (InvalidDataException fault)
        {
            return new AuditVerdict(0, fault.Message);
        }

        return await database.ReadAsync(async db =>
        {
            var (count, hash) = (0L, Beginning);
            await foreach (var row in db.Audit.AsNoTracking().OrderBy(r => r.Sequence).AsAsyncEnumerable().WithCancellation(cancellationToken))
            {
                if (row.Sequence != count + 1)
                {
                    return new AuditVerdict(count, $"record {count + 1} is missing.");
                }

                hash = HashOf(row, hash, key);
                if (!hash.AsSpan().SequenceEqual(row.Hash) || (head?.Sequence == row.Sequence && !hash.AsSpan().SequenceEqual(head.Hash)))
                {
                    return new AuditVerdict(count, $"record {row.Sequence} is not as it was written.");
                }

                count++;
            }

            return new AuditVerdict(count, head is null && count > 0 ? $"{headPath} is missing, so the end of the log may be too."
                : head?.Sequence > count ? $"the log ends at record {count}, and {head.Sequence} were written."
                : null);
        });
    }

    private async Task<DataKey> KeyAsync(StoreContext db, CancellationToken cancellationToken) =>
        await database.KeyAsync(db, Seals.AuditKey, cancellationToken) ?? await database.AddKeyAsync(db, Seals.AuditKey, cancellationToken);

    /// <summary>Every field with its length before it, so that no two records read alike.</summary>
    private static byte[] HashOf(AuditRow row, byte[] before, DataKey key)
    {
        var text = new StringBuilder("audit record 1");
        foreach (var field in new[]
        {
            row.Sequence.ToString(CultureInfo.InvariantCulture), row.At.ToString(CultureInfo.InvariantCulture), row.Tier, row.Rule, row.Action, row.ModelHash, row.Conversation,
        })
        {
            text.Append('|').Append(field is null ? "-" : field.Length.ToString(CultureInfo.InvariantCulture)).Append('|').Append(field);
        }

        return key.Sign([.. before, .. Encoding.UTF8.GetBytes(text.ToString())]);
    }
}
