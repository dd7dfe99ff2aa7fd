using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using PsyLite.Store.Keys;

namespace PsyLite.Store.Sql;

/// <summary>
/// One SQLite file with a write-ahead log. SQLite knows one writer at a time, so writers of this process queue here, and those of another
/// process (a command beside the server) wait for the file.
/// </summary>
internal sealed class SqliteBackend : IStoreBackend
{
    /// <summary>Seconds that a statement waits for another program's lock: a reply does not wait for longer.</summary>
    private const int BusySeconds = 2;

    /// <summary>Writes after which the log is written back into the file, some thousand pages at most.</summary>
    private const int WritesBetweenCheckpoints = 128;

    /// <summary>Seconds that erasing waits for other programs.</summary>
    private const int ScrubSeconds = 15;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestLock = TimeSpan.FromSeconds(30);

    private readonly Func<StoreContext, string, string, CancellationToken, Task<KeyedConversation?>> _take = EF.CompileAsyncQuery(
        (StoreContext db, string id, string key, CancellationToken _) => (from c in db.Conversations
                                                                          where c.Id == id
                                                                          from k in db.DataKeys.Where(k => k.Id == key).DefaultIfEmpty()
                                                                          select new KeyedConversation(c, k)).SingleOrDefault());

    private readonly Func<StoreContext, string, CancellationToken, Task<FactRow>> _hold = EF.CompileAsyncQuery(
        (StoreContext db, string name, CancellationToken _) => db.Facts.AsNoTracking().Single(f => f.Name == name));

    private readonly SemaphoreSlim _writer = new(1, 1);
    private int _writes;
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly string _connection;

    public SqliteBackend(string path, TimeProvider time)
    {
        _path = Path.GetFullPath(path);
        _time = time;
        _connection = new SqliteConnectionStringBuilder { DataSource = _path, DefaultTimeout = BusySeconds, ForeignKeys = true }.ConnectionString;
    }

    public string Description => _path;

    public void Configure(DbContextOptionsBuilder<StoreContext> options) => options.UseSqlite(_connection).AddInterceptors(new Settings());

    public async Task<IAsyncDisposable> LockAsync(CancellationToken cancellationToken)
    {
        OwnerOnlyFile.CreateFolder(Path.GetDirectoryName(_path)!);
        for (var started = _time.GetTimestamp(); ; await Task.Delay(BetweenLooks, cancellationToken))
        {
            try
            {
                return new FileStream(_path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException fault) when (File.Exists(_path + ".lock"))
            {
                if (_time.GetElapsedTime(started) > LongestLock)
                {
                    throw new StoreException($"another program has been opening {_path} for too long; stop it and try again.", fault);
                }
            }
        }
    }

    public async Task<string?> PrepareAsync(CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (!File.Exists(_path))
        {
            // Only then: closing a file drops the locks that connections of this process have on it.
            OwnerOnlyFile.Touch(_path);
        }

        var notice = IsSound() ? null : MoveAside();
        using var connection = OpenAlone();

        // Our own lock keeps every other migration out, so a lock row in here is one that a killed program left.
        Run(connection, "PRAGMA journal_mode=WAL; DROP TABLE IF EXISTS __EFMigrationsLock");
        return notice;
    }

    public GroupCommit? Group(IDbContextFactory<StoreContext> contexts) => new(EnterAsync, contexts);

    public Task<FactRow> HoldAsync(StoreContext db, string name, CancellationToken cancellationToken) => _hold(db, name, cancellationToken);

    public Task<KeyedConversation?> TakeAsync(StoreContext db, string id, string key, CancellationToken cancellationToken) => _take(db, id, key, cancellationToken);

    /// <summary>
    /// secure_delete has zeroed the cells already; VACUUM drops stale copies in unused parts of pages, and emptying the log drops the pages as
    /// they were before.
    /// </summary>
    public async Task ScrubAsync(StoreContext db, CancellationToken cancellationToken)
    {
        using var alone = await EnterAsync(cancellationToken);
        await db.Database.OpenConnectionAsync(cancellationToken);
        var connection = (SqliteConnection)db.Database.GetDbConnection();
        connection.DefaultTimeout = ScrubSeconds;
        Run(connection, "VACUUM");
        for (var started = _time.GetTimestamp(); !IsLogEmptied(connection); await Task.Delay(BetweenLooks, cancellationToken))
        {
            if (_time.GetElapsedTime(started) > TimeSpan.FromSeconds(ScrubSeconds))
            {
                throw new StoreException($"the records are erased, but another program keeps reading the log of {_path}; stop it and run: psylite store sweep");
            }
        }
    }

    public bool IsConflict(Exception fault) => fault is SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_CONSTRAINT };

    public string? Explain(Exception fault) => fault switch
    {
        SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED } => $"another program holds {_path} locked.",
        SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_FULL } => $"the disk of {_path} is full; make room.",
        SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB } => $"{_path} is damaged; at the next start it is moved aside and a new one begun.",
        SqliteException or IOException or UnauthorizedAccessException => $"{_path} cannot be written ({fault.Message.ReplaceLineEndings(" ")}).",
        _ => null,
    };

    /// <summary>Waits for the right to write. SQLite writes on the caller's thread; a page's, which has a context, is left first.</summary>
    private async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _writer.WaitAsync(cancellationToken).ConfigureAwait(SynchronizationContext.Current is null ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ForceYielding);
        return new Entered(this);
    }

    private void Leave()
    {
        _writer.Release();
        if (Interlocked.Increment(ref _writes) % WritesBetweenCheckpoints == 0)
        {
            _ = Task.Run(CheckpointAsync);
        }
    }

    /// <summary>
    /// Writes the log back into the file beside the writers, which would otherwise do it in the middle of somebody's turn; then what they wrote
    /// meanwhile while they wait, so that the log begins anew and does not grow.
    /// </summary>
    private async Task CheckpointAsync()
    {
        try
        {
            using var connection = OpenAlone();
            Run(connection, "PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(PASSIVE)");
            using var alone = await EnterAsync(CancellationToken.None);
            Run(connection, "PRAGMA wal_checkpoint(PASSIVE)");
        }
        catch (SqliteException)
        {
            // What is wrong with the file shows at the next write, and SQLite itself writes a log back that has grown too long.
        }
    }

    private bool IsSound()
    {
        try
        {
            using var connection = OpenAlone();
            using var check = connection.CreateCommand();
            check.CommandText = "PRAGMA quick_check(1)";
            return check.ExecuteScalar() is "ok";
        }
        catch (SqliteException fault) when (fault.SqliteErrorCode is SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB)
        {
            return false;
        }
    }

    /// <summary>Nothing is overwritten: what is left may be worth a rescue, and its key stays where it is.</summary>
    private string MoveAside()
    {
        var aside = $"{_path}.damaged-{_time.GetUtcNow():yyyyMMddTHHmmssfff}";
        foreach (var suffix in new[] { "", "-wal", "-shm" })
        {
            if (File.Exists(_path + suffix))
            {
                File.Move(_path + suffix, aside + suffix);
            }
        }

        OwnerOnlyFile.Touch(_path);
        return $"{_path} was damaged and is now {aside}; a new one was begun.";
    }

    /// <summary>False while somebody still reads what the log holds.</summary>
    private static bool IsLogEmptied(SqliteConnection connection)
    {
        using var checkpoint = connection.CreateCommand();
        checkpoint.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
        return Convert.ToInt64(checkpoint.ExecuteScalar(), CultureInfo.InvariantCulture) == 0;
    }

    private SqliteConnection OpenAlone()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(_connection) { Pooling = false }.ConnectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private sealed class Entered(SqliteBackend backend) : IDisposable
    {
        public void Dispose() => backend.Leave();
    }

    /// <summary>Settings that SQLite keeps per connection. FULL waits for the disk at every commit: a message outlives a power cut too.</summary>
    private sealed class Settings : DbConnectionInterceptor
    {
        private const string Sql = "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA trusted_schema=OFF; PRAGMA wal_autocheckpoint=8000";

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Run((SqliteConnection)connection, Sql);

        public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            Run((SqliteConnection)connection, Sql);
            return Task.CompletedTask;
        }
    }
}
