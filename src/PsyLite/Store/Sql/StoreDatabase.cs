using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using PsyLite.Store.Keys;

namespace PsyLite.Store.Sql;

/// <summary>The open store: its tables, its keys, and the way to read and write them. Safe to share.</summary>
internal sealed class StoreDatabase
{
    /// <summary>Times that a write is tried when others write at the same time.</summary>
    private const int MostAttempts = 8;
    private const string MasterFact = "master";

    /// <summary>Contexts that are kept for the next use: making one costs as much as several reads.</summary>
    private const int KeptContexts = 64;
    private readonly IStoreBackend _backend;
    private readonly KeySource _keys;
    private readonly PooledDbContextFactory<StoreContext> _contexts;
    private readonly GroupCommit? _group;
    private volatile KeyRing _ring;

    private StoreDatabase(IStoreBackend backend, KeySource keys, TimeProvider time, DbContextOptions<StoreContext> options, KeyRing ring, string? notice)
    {
        _backend = backend;
        _keys = keys;
        _contexts = new PooledDbContextFactory<StoreContext>(options, KeptContexts);
        _group = backend.Group(_contexts);
        _ring = ring;
        Time = time;
        Notice = notice;
    }

    public TimeProvider Time { get; }

    public TurnQueries Queries { get; } = new();

    public KeySource Keys => _keys;

    public string Description => _backend.Description;

    /// <summary>One line on what happened while it was opened; null when nothing did.</summary>
    public string? Notice { get; }

    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Opens the store and brings its tables up to date, while no other program does.</summary>
    /// <exception cref="StoreException">It cannot be used; the message says what to do.</exception>
    public static async Task<StoreDatabase> OpenAsync(IStoreBackend backend, KeySource keys, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await using var alone = await backend.LockAsync(cancellationToken);
            var notice = await backend.PrepareAsync(cancellationToken);
            var builder = new DbContextOptionsBuilder<StoreContext>();
            backend.Configure(builder);
            await using var db = new StoreContext(builder.Options);
            await MigrateAsync(db, backend, cancellationToken);
            var ring = await ReadKeysAsync(db, backend, keys, cancellationToken);
            return new StoreDatabase(backend, keys, time, builder.Options, ring, notice);
        }
        catch (Exception fault) when (backend.Explain(fault) is { } line)
        {
            throw new StoreException(line, fault);
        }
    }

    /// <summary>One line for any failure that came out of the store.</summary>
    public static string Explain(Exception fault, IStoreBackend backend) => fault switch
    {
        StoreException => fault.Message,
        CryptographicException => $"a record of {backend.Description} was changed from outside or belongs to another key; bring back the right key or a backup.",
        _ => backend.Explain(fault) ?? backend.Explain(fault.InnerException ?? fault) ?? $"{backend.Description} failed ({fault.GetType().Name}).",
    };

    public string Explain(Exception fault) => Explain(fault, _backend);

    public async Task<T> ReadAsync<T>(Func<StoreContext, Task<T>> read)
    {
        // SQLite reads on the caller's thread; a page's, which has a context, is left first.
        await Task.CompletedTask.ConfigureAwait(SynchronizationContext.Current is null ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ForceYielding);
        await using var db = _contexts.CreateDbContext();
        return await read(db);
    }

    /// <summary>Runs one transaction, again from its start when somebody else wrote what it had read.</summary>
    public async Task<T> WriteAsync<T>(Func<StoreContext, Task<T>> write, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await (_group?.WriteAsync(write, cancellationToken) ?? WriteAloneAsync(write, cancellationToken));
            }
            catch (Exception fault) when (attempt < MostAttempts && IsConflict(fault))
            {
                // The next attempt reads what the other writer left.
            }
        }
    }

    private async Task<T> WriteAloneAsync<T>(Func<StoreContext, Task<T>> write, CancellationToken cancellationToken)
    {
        await using var db = _contexts.CreateDbContext();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var result = await write(db);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return result;
    }

    public async Task ScrubAsync(CancellationToken cancellationToken)
    {
        await using var db = _contexts.CreateDbContext();
        await _backend.ScrubAsync(db, cancellationToken);
    }

    /// <summary>A conversation that nobody else changes until the transaction of <paramref name="db"/> is over, and its key; null when it or its key is gone.</summary>
    public async Task<(ConversationRow Row, DataKey Key)?> TakeAsync(StoreContext db, string id, CancellationToken cancellationToken) =>
        Unwrap(await _backend.TakeAsync(db, id, Seals.ConversationKey(id), cancellationToken));

    /// <summary>A conversation as it stands, to be read; null when it or its key is gone.</summary>
    public async Task<(ConversationRow Row, DataKey Key)?> ConversationAsync(StoreContext db, string id, CancellationToken cancellationToken) =>
        Unwrap(await Queries.Conversation(db, id, Seals.ConversationKey(id), cancellationToken));

    /// <summary>The data key of this name, for reading and writing what it seals; null when it was erased.</summary>
    public async Task<DataKey?> KeyAsync(StoreContext db, string name, CancellationToken cancellationToken) =>
        await Queries.Key(db, name, cancellationToken) is { } row ? Unwrap(row) : null;

    /// <summary>A new data key of this name, in the transaction of <paramref name="db"/>.</summary>
    public async Task<DataKey> AddKeyAsync(StoreContext db, string name, CancellationToken cancellationToken)
    {
        var current = await _backend.HoldAsync(db, MasterFact, cancellationToken);
        var master = Master(current.Value);
        var key = DataKey.Create();
        db.DataKeys.Add(new DataKeyRow { Id = name, MasterId = master.Id, Wrapped = master.Wrap(key, name) });
        return key;
    }

    private (ConversationRow, DataKey)? Unwrap(KeyedConversation? found) => found is { Key: { } key } ? (found.Row, Unwrap(key)) : null;

    public DataKey Unwrap(DataKeyRow row) => Master(row.MasterId).Unwrap(row.Wrapped, row.Id);

    /// <summary>From here on every new data key is wrapped with this master key, by other programs on the same store too.</summary>
    public async Task SetMasterAsync(KeyRing ring, CancellationToken cancellationToken)
    {
        _ring = ring;
        await WriteAsync(
            async db =>
            {
                (await db.Facts.SingleAsync(f => f.Name == MasterFact, cancellationToken)).Value = ring.Current.Id;
                return true;
            },
            cancellationToken);
    }

    private static async Task MigrateAsync(StoreContext db, IStoreBackend backend, CancellationToken cancellationToken)
    {
        var known = db.Database.GetMigrations().ToHashSet();
        var applied = (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).ToList();
        if (applied.Find(m => !known.Contains(m)) is { } newer)
        {
            throw new StoreException($"{backend.Description} was written by a newer PsyLite (tables {newer}); update this program. Nothing was changed.");
        }

        if (applied.Count < known.Count)
        {
            await db.Database.MigrateAsync(cancellationToken);
        }
    }

    private static async Task<KeyRing> ReadKeysAsync(StoreContext db, IStoreBackend backend, KeySource keys, CancellationToken cancellationToken)
    {
        var fact = await db.Facts.SingleOrDefaultAsync(f => f.Name == MasterFact, cancellationToken);
        if (fact is null)
        {
            var first = keys.ReadOrCreate();
            db.Facts.Add(new FactRow { Name = MasterFact, Value = first.Current.Id });
            await db.SaveChangesAsync(cancellationToken);
            return first;
        }

        if (!keys.Exists)
        {
            throw new StoreException($"the key file {keys.Path} is missing, and {backend.Description} cannot be read without it; bring it back, or move the database away to begin anew.");
        }

        var ring = keys.Read();
        return ring.Find(fact.Value) is not null ? ring
            : throw new StoreException($"{keys.Description} is not the key of {backend.Description}; bring back the right one, or move the database away to begin anew.");
    }

    /// <summary>Another program may have rotated the keys since they were read.</summary>
    private MasterKey Master(string id)
    {
        if (_ring.Find(id) is { } known)
        {
            return known;
        }

        _ring = _keys.Read();
        return _ring.Find(id) ?? throw new CryptographicException("a data key is wrapped with a master key that is not there.");
    }

    private bool IsConflict(Exception fault) =>
        fault is DbUpdateConcurrencyException || _backend.IsConflict(fault) || (fault.InnerException is { } inner && _backend.IsConflict(inner));
}
