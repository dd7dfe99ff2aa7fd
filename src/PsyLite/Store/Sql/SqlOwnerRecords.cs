using Microsoft.EntityFrameworkCore;
using PsyLite.Store.Conversations;
using PsyLite.Store.Keys;

namespace PsyLite.Store.Sql;

/// <summary>What belongs to a person and to no conversation: settings, check-ins, consents, sealed with the person's own key.</summary>
internal sealed class SqlOwnerRecords(StoreDatabase database)
{
    /// <summary>The owner's row, made when it is not there.</summary>
    public async Task<OwnerRow> OwnerAsync(StoreContext db, string owner, CancellationToken cancellationToken)
    {
        if (await database.Queries.Owner(db, owner, cancellationToken) is { } known)
        {
            return known;
        }

        var row = new OwnerRow { Id = owner, Created = database.Now };
        db.Owners.Add(row);
        await database.AddKeyAsync(db, Seals.OwnerKey(owner), cancellationToken);

        // Before anything that refers to the row, which EF would otherwise be free to write first.
        await db.SaveChangesAsync(cancellationToken);
        return row;
    }

    public Task<PersonSettings> SettingsAsync(string owner, CancellationToken cancellationToken) => database.ReadAsync(async db =>
        await database.Queries.Owner(db, owner, cancellationToken) is { Settings: { } settings }
        && await KeyAsync(db, owner, cancellationToken) is { } key
            ? key.Open<PersonSettings>(settings, Seals.Settings(owner))
            : new PersonSettings());

    public Task SetSettingsAsync(string owner, PersonSettings settings, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            var row = await OwnerAsync(db, owner, cancellationToken);
            row.Settings = (await RequiredKeyAsync(db, owner, cancellationToken)).Seal(settings, Seals.Settings(owner));
            return true;
        },
        cancellationToken);

    public Task AddAsync<T>(string owner, OwnerRecordKind kind, DateTimeOffset at, T record, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            await OwnerAsync(db, owner, cancellationToken);
            var key = await RequiredKeyAsync(db, owner, cancellationToken);
            var id = Guid.NewGuid().ToString("N");
            db.OwnerRecords.Add(new OwnerRecordRow
            {
                Id = id,
                OwnerId = owner,
                Kind = kind,
                At = at.ToUnixTimeMilliseconds(),
                Body = key.Seal(record, Seals.Record(id, owner, kind)),
            });
            return true;
        },
        cancellationToken);

    public Task<IReadOnlyList<T>> ListAsync<T>(string owner, OwnerRecordKind kind, CancellationToken cancellationToken) => database.ReadAsync(async db =>
    {
        var rows = await db.OwnerRecords.AsNoTracking().Where(r => r.OwnerId == owner && r.Kind == kind).OrderBy(r => r.At).ThenBy(r => r.Id).ToListAsync(cancellationToken);
        if (rows.Count == 0)
        {
            return [];
        }

        var key = await RequiredKeyAsync(db, owner, cancellationToken);
        return (IReadOnlyList<T>)[.. rows.Select(r => key.Open<T>(r.Body, Seals.Record(r.Id, owner, kind)))];
    });

    private Task<DataKey?> KeyAsync(StoreContext db, string owner, CancellationToken cancellationToken) =>
        database.KeyAsync(db, Seals.OwnerKey(owner), cancellationToken);

    private async Task<DataKey> RequiredKeyAsync(StoreContext db, string owner, CancellationToken cancellationToken) =>
        await KeyAsync(db, owner, cancellationToken) ?? throw new StoreException("a person's key is missing from the store; restore it from a backup, or erase the person.");
}
