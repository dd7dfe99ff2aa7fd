using PsyLite.Options;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;

namespace PsyLite.Store;

/// <summary>Where the store and what belongs to it lie: the database, its key, the head of its audit log.</summary>
internal sealed record StoreLocation(IStoreBackend Backend, KeySource Keys, string AuditHead)
{
    /// <exception cref="StoreException">A setting does not make sense; the message says which.</exception>
    public static StoreLocation Of(AppOptions options, TimeProvider time)
    {
        var isServer = PostgresBackend.IsMeant(options.Store);

        // Beside the file; a server has no folder here, so its key lies where the file would be.
        var beside = isServer ? Path.Combine(Path.GetDirectoryName(new AppOptions().Store)!, "server") : Path.GetFullPath(options.Store);
        var keyFile = options.StoreKeyFile ?? beside + ".key";
        var keys = options.StoreKey is { } given ? KeySource.FromText(given) : KeySource.FromFile(keyFile);
        OwnerOnlyFile.CreateFolder(Path.GetDirectoryName(Path.GetFullPath(keyFile))!);
        return new StoreLocation(
            isServer ? new PostgresBackend(options.Store) : new SqliteBackend(options.Store, time),
            keys,
            options.StoreKey is null ? Path.ChangeExtension(keyFile, ".audit") : beside + ".audit");
    }

    public Task<StoreDatabase> OpenAsync(TimeProvider time, CancellationToken cancellationToken) => StoreDatabase.OpenAsync(Backend, Keys, time, cancellationToken);
}
