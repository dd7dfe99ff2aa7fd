using PsyLite.Agent.Crisis;

namespace PsyLite.Store.Audit;

/// <summary>The audit log on the disk, behind the turns. Records that come while the disk is busy are appended together.</summary>
internal sealed class StoredAudit(StoreWorker worker, Func<CancellationToken, Task<AuditChain>> open) : IAuditLog
{
    private const int MostWaiting = 10_000;
    private readonly Lock _lock = new();
    private List<AuditEntry> _waiting = [];

    public void Write(AuditRecord record) =>
        Write(new AuditEntry(record.At, record.Tier.ToString(), record.Rule, record.Action.ToString(), record.ModelHash, record.ConversationId));

    public void Write(AuditEntry entry)
    {
        lock (_lock)
        {
            if (_waiting.Count >= MostWaiting)
            {
                throw new StoreException("the audit log has not been written for too long.");
            }

            _waiting.Add(entry);
            if (_waiting.Count > 1)
            {
                return;
            }
        }

        List<AuditEntry>? taken = null;
        worker.Add(async cancellationToken =>
        {
            taken ??= Take();
            await (await open(cancellationToken)).AppendAsync(taken, cancellationToken);
        });
    }

    private List<AuditEntry> Take()
    {
        lock (_lock)
        {
            (var taken, _waiting) = (_waiting, []);
            return taken;
        }
    }
}
