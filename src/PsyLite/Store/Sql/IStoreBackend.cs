using Microsoft.EntityFrameworkCore;

namespace PsyLite.Store.Sql;

/// <summary>What differs between a SQLite file and a PostgreSQL server.</summary>
internal interface IStoreBackend
{
    /// <summary>The file or the server, for a person to read; never a password.</summary>
    string Description { get; }

    void Configure(DbContextOptionsBuilder<StoreContext> options);

    /// <summary>Keeps every other program that opens the same store waiting until the result is disposed.</summary>
    Task<IAsyncDisposable> LockAsync(CancellationToken cancellationToken);

    /// <summary>Makes the store ready to be migrated. Gives one line when something happened that a person should know of.</summary>
    Task<string?> PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Commits in groups, where only one may write at a time and waits for the disk with each commit; null for a server, which groups commits itself.</summary>
    GroupCommit? Group(IDbContextFactory<StoreContext> contexts);

    /// <summary>A fact that stays as it is until the transaction is over.</summary>
    Task<FactRow> HoldAsync(StoreContext db, string name, CancellationToken cancellationToken);

    /// <summary>A conversation, with the data key of this name, that nobody else changes until the transaction is over; null when there is none.</summary>
    Task<KeyedConversation?> TakeAsync(StoreContext db, string id, string key, CancellationToken cancellationToken);

    /// <summary>Overwrites or drops what deleted rows have left behind.</summary>
    Task ScrubAsync(StoreContext db, CancellationToken cancellationToken);

    /// <summary>Somebody else wrote at the same time; the same once more may succeed.</summary>
    bool IsConflict(Exception fault);

    /// <summary>One line for a failure of the disk or the server; null when it is something else.</summary>
    string? Explain(Exception fault);
}
