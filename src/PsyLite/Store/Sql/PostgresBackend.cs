using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace PsyLite.Store.Sql;

/// <summary>A PostgreSQL server, which several instances of this program may share.</summary>
internal sealed class PostgresBackend : IStoreBackend
{
    /// <summary>Seconds for a connection and for a statement: a reply does not wait for longer.</summary>
    private const int ConnectSeconds = 3;
    private const int CommandSeconds = 5;

    /// <summary>"psylite" as a number: the advisory lock that openers of one database share.</summary>
    private const long LockNumber = 0x7073796C697465;
    private readonly string _connection;

    public PostgresBackend(string connectionString)
    {
        var parts = Parse(connectionString);
        parts.Timeout = parts.ContainsKey("Timeout") ? parts.Timeout : ConnectSeconds;
        parts.CommandTimeout = parts.ContainsKey("Command Timeout") ? parts.CommandTimeout : CommandSeconds;
        _connection = parts.ConnectionString;
        Description = $"PostgreSQL {parts.Host}/{parts.Database}";
    }

    public string Description { get; }

    public static bool IsMeant(string store) =>
        store.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase)
        || store.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase)
        || (store.Contains('=') && store.Contains("Host", StringComparison.OrdinalIgnoreCase));

    public void Configure(DbContextOptionsBuilder<StoreContext> options) => options.UseNpgsql(_connection);

    public async Task<IAsyncDisposable> LockAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_connection) { Pooling = false, CommandTimeout = 30 }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT pg_advisory_lock($1)", connection) { Parameters = { new NpgsqlParameter { Value = LockNumber } } };
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public Task<string?> PrepareAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public GroupCommit? Group(IDbContextFactory<StoreContext> contexts) => null;

    public Task<FactRow> HoldAsync(StoreContext db, string name, CancellationToken cancellationToken) =>
        db.Facts.FromSql($"""SELECT * FROM facts WHERE "Name" = {name} FOR SHARE""").AsNoTracking().SingleAsync(cancellationToken);

    public async Task<KeyedConversation?> TakeAsync(StoreContext db, string id, string key, CancellationToken cancellationToken) =>
        await db.Conversations.FromSql($"""SELECT * FROM conversations WHERE "Id" = {id} FOR UPDATE""").SingleOrDefaultAsync(cancellationToken) is { } row
            ? new KeyedConversation(row, await db.DataKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Id == key, cancellationToken))
            : null;

    /// <summary>The rows' keys are what matters: their table is written anew, the large ones are left to autovacuum.</summary>
    public Task ScrubAsync(StoreContext db, CancellationToken cancellationToken) => db.Database.ExecuteSqlRawAsync("VACUUM FULL data_keys", cancellationToken);

    public bool IsConflict(Exception fault) =>
        fault is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected };

    public string? Explain(Exception fault) => fault switch
    {
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => $"the disk of {Description} is full; make room.",
        NpgsqlException or TimeoutException => $"{Description} does not do what it should ({fault.Message.ReplaceLineEndings(" ")}).",
        _ => null,
    };

    /// <summary>Npgsql reads key=value; postgresql://user:password@host:port/database is what people have in their environment.</summary>
    private static NpgsqlConnectionStringBuilder Parse(string text)
    {
        try
        {
            if (!text.Contains("://", StringComparison.Ordinal))
            {
                return new NpgsqlConnectionStringBuilder(text);
            }

            var address = new Uri(text);
            var parts = new NpgsqlConnectionStringBuilder { Host = address.Host, Database = Uri.UnescapeDataString(address.AbsolutePath.TrimStart('/')) };
            parts.Port = address.IsDefaultPort || address.Port < 0 ? parts.Port : address.Port;
            var user = address.UserInfo.Split(':', 2);
            parts.Username = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : parts.Username;
            parts.Password = user.Length == 2 ? Uri.UnescapeDataString(user[1]) : parts.Password;
            foreach (var pair in address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
            {
                var (name, value) = pair.Split('=', 2) is [var n, var v] ? (n, Uri.UnescapeDataString(v)) : (pair, "");
                parts[name == "sslmode" ? "SSL Mode" : name] = value;
            }

            return parts.Host is { Length: > 0 } ? parts : throw new FormatException("no host");
        }
        catch (Exception fault) when (fault is UriFormatException or ArgumentException or FormatException)
        {
            throw new StoreException("PSYLITE_STORE is neither a file nor a connection to PostgreSQL; write Host=…;Database=…;Username=… or postgresql://user@host/database.", fault);
        }
    }
}
