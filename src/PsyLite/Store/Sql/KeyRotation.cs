using Microsoft.EntityFrameworkCore;

namespace PsyLite.Store.Sql;

internal enum RotationStep
{
    /// <summary>The new key is in the file, in front of the one before it.</summary>
    KeyAdded,

    /// <summary>New data keys are wrapped with the new key.</summary>
    KeyInForce,

    /// <summary>Some more data keys are wrapped with the new key.</summary>
    BatchRewrapped,

    /// <summary>The keys before it are gone from the file.</summary>
    OlderDropped,
}

/// <summary>
/// Puts a new master key in force while the store is in use. After every step the store opens with the keys that are there, and a rotation that
/// was interrupted goes on where it stopped when it is run again.
/// </summary>
internal sealed class KeyRotation(StoreDatabase database)
{
    private const int Batch = 100;

    /// <summary>Gives the number of data keys that were wrapped anew.</summary>
    public async Task<int> RunAsync(Action<RotationStep>? reached, CancellationToken cancellationToken)
    {
        var keys = database.Keys;
        var ring = keys.Read();
        if (ring.Older.Count == 0)
        {
            ring = ring.WithNew();
            keys.Write(ring);
            reached?.Invoke(RotationStep.KeyAdded);
        }

        await database.SetMasterAsync(ring, cancellationToken);
        reached?.Invoke(RotationStep.KeyInForce);
        var rewrapped = 0;
        while (await RewrapAsync(ring.Current.Id, cancellationToken) is > 0 and var count)
        {
            rewrapped += count;
            reached?.Invoke(RotationStep.BatchRewrapped);
        }

        if (keys.Path is not null)
        {
            keys.Write(ring.CurrentOnly());
            reached?.Invoke(RotationStep.OlderDropped);
        }

        await database.ScrubAsync(cancellationToken);
        return rewrapped;
    }

    private Task<int> RewrapAsync(string current, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            var rows = await db.DataKeys.Where(k => k.MasterId != current).OrderBy(k => k.Id).Take(Batch).ToListAsync(cancellationToken);
            var master = database.Keys.Read().Current;
            foreach (var row in rows)
            {
                row.Wrapped = master.Wrap(database.Unwrap(row), row.Id);
                row.MasterId = master.Id;
            }

            return rows.Count;
        },
        cancellationToken);
}
