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
    GroupCommit? Group(DbContextOptions<StoreContext> options);

    /// <summary>A fact that stays as it is until the transaction is over.</summary>
    IQueryable<FactRow> Hold(StoreContext db, string name);

    /// <summary>A conversation that nobody else changes until the transaction is over.</summary>
    IQueryable<ConversationRow> Take(StoreContext db, string id);

    /// <summary>Overwrites or drops what deleted rows have left behind.</summary>
    Task ScrubAsync(StoreContext db, CancellationToken cancellationToken);

    /// <summary>Somebody else wrote at the same time; the same once more may succeed.</summary>
    bool IsConflict(Exception fault);

    /// <summary>One line for a failure of the disk or the server; null when it is something else.</summary>
    string? Explain(Exception fault);
}
