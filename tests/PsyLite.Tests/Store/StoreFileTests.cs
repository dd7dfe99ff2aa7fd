using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using PsyLite.Store;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;
using PsyLite.Tests.Agent;

namespace PsyLite.Tests.Store;

/// <summary>Opening: tables of every age, files in every condition.</summary>
[Collection("postgres")]
public sealed class StoreFileTests(PostgresServer server) : IDisposable
{
    private const string SqliteTables = "SELECT m.name || '.' || p.name || ' ' || p.type || ' ' || p.\"notnull\" || ' ' || p.pk FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        + " UNION ALL SELECT m.tbl_name || ' index ' || m.name || ' ' || coalesce(m.sql, '') FROM sqlite_master m WHERE m.type = 'index' AND m.tbl_name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        + " UNION ALL SELECT m.name || ' -> ' || f.\"table\" || ' ' || f.\"from\" || ' ' || f.on_delete FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f ORDER BY 1";

    private const string PostgresTables = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'"
        + " UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%'"
        + " UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' ORDER BY 1";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Migrations_make_in_SQLite_what_the_model_describes()
    {
        await Stores.OpenAsync(_folder["a.db"]);
        var backend = new SqliteBackend(_folder["b.db"], new ManualTime());
        await using var db = Context(backend);
        await db.Database.EnsureCreatedAsync();
        var made = Rows(new SqliteConnection($"Data Source={_folder["a.db"]};Pooling=False"), SqliteTables);
        Assert.True(made.Count > 40);
        Assert.Equal(Rows(new SqliteConnection($"Data Source={_folder["b.db"]};Pooling=False"), SqliteTables), made);
    }

    [Fact]
    public async Task Migrations_make_in_PostgreSQL_what_the_model_describes()
    {
        var (first, second) = (await server.CreateAsync(), await server.CreateAsync());
        await StoreDatabase.OpenAsync(new PostgresBackend(first), KeySource.FromFile(_folder["k"]), new ManualTime(), default);
        await using var db = Context(new PostgresBackend(second));
        await db.Database.EnsureCreatedAsync();
        var made = Rows(new NpgsqlConnection(first), PostgresTables);
        Assert.True(made.Count > 40);
        Assert.Equal(Rows(new NpgsqlConnection(second), PostgresTables), made);
    }

    [Fact]
    public async Task Tables_of_a_newer_program_are_left_alone()
    {
        await Stores.OpenAsync(_folder["a.db"]);
        Execute(_folder["a.db"], "INSERT INTO __EFMigrationsHistory VALUES('999_Later', '11.0.0')");
        var fault = await Assert.ThrowsAsync<StoreException>(() => Stores.OpenAsync(_folder["a.db"]));
        Assert.Contains("newer PsyLite (tables 999_Later); update this program", fault.Message);
    }

    [Fact]
    public async Task A_program_killed_while_migrating_does_not_lock_out_the_next()
    {
        Execute(_folder["a.db"], "CREATE TABLE __EFMigrationsLock(Id INTEGER PRIMARY KEY, Timestamp TEXT NOT NULL); INSERT INTO __EFMigrationsLock VALUES(1, 'x')");
        await Stores.OpenAsync(_folder["a.db"]).WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Ten_that_open_a_new_store_at_once_agree(string kind)
    {
        var connection = kind == "postgres" ? await server.CreateAsync() : "";
        var opened = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => StoreDatabase.OpenAsync(
            kind == "postgres" ? new PostgresBackend(connection) : new SqliteBackend(_folder["a.db"], TimeProvider.System),
            KeySource.FromFile(_folder["a.key"]), TimeProvider.System, default))));
        var id = await new SqlConversationStore(opened[0]).CreateAsync("a", "同一把钥匙");
        foreach (var database in opened)
        {
            Assert.Equal("同一把钥匙", (await new SqlConversationStore(database).OpenAsync("a", id, default))!.Summary.Head.Title);
        }
    }

    [Theory]
    [InlineData("no database at all, but text of some length that SQLite cannot take for one")]
    [InlineData(null)]
    public async Task A_damaged_file_is_moved_aside_and_never_overwritten(string? content)
    {
        var path = _folder["a.db"];
        if (content is not null)
        {
            await File.WriteAllTextAsync(path, content);
        }
        else
        {
            var store = await Stores.SqliteAsync(path);
            for (var i = 0; i < 60; i++)
            {
                await store.TurnAsync("a", await store.CreateAsync("a"), "t", new string('长', 500), "答");
            }

            await store.EraseAsync("a", (await store.ListAsync("a", 0, 1, default))[0].Id, default);
            SqliteConnection.ClearAllPools();
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
            for (var page = 3; page < 20; page++)
            {
                file.Position = page * 4096;
                file.Write(new byte[4096]);
            }
        }

        var before = await File.ReadAllBytesAsync(path);
        var database = await Stores.OpenAsync(path);
        Assert.Contains("was damaged and is now", database.Notice);
        Assert.DoesNotContain('\n', database.Notice!);
        Assert.Equal(before, await File.ReadAllBytesAsync(Directory.EnumerateFiles(Path.GetDirectoryName(path)!, "a.db.damaged-*").Order().First()));
        Assert.Empty(await new SqlConversationStore(database).ListAsync("a", 0, 10, default));
        await new SqlConversationStore(database).CreateAsync("a");
        Assert.Null((await Stores.OpenAsync(path)).Notice);
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_one_line()
    {
        await File.WriteAllTextAsync(_folder["file"], "");
        var fault = await Assert.ThrowsAsync<StoreException>(() => Stores.OpenAsync(_folder["file/a.db"]));
        Assert.Contains(_folder["file/a.db"], fault.Message);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_one_line_without_the_password()
    {
        var backend = new PostgresBackend("postgresql://me:geheim@127.0.0.1:1/psy%20lite?sslmode=disable");
        Assert.Equal("PostgreSQL 127.0.0.1/psy lite", backend.Description);
        var fault = await Assert.ThrowsAsync<StoreException>(() => StoreDatabase.OpenAsync(backend, KeySource.FromFile(_folder["k"]), new ManualTime(), default));
        Assert.DoesNotContain("geheim", fault.Message);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Theory]
    [InlineData("Host=a;Database=b", true)]
    [InlineData("host=/run/postgresql;username=x", true)]
    [InlineData("postgres://a/b", true)]
    [InlineData("/home/me/psylite.db", false)]
    [InlineData("psylite.db", false)]
    public void A_connection_string_is_told_from_a_path(string store, bool isServer) => Assert.Equal(isServer, PostgresBackend.IsMeant(store));

    [Theory]
    [InlineData("postgresql://")]
    [InlineData("Host=a;Colour=blue")]
    [InlineData("postgres://a:b:c@x:99999999/")]
    public void A_connection_that_is_none_is_refused_in_one_line(string store) =>
        Assert.Contains("PSYLITE_STORE", Assert.Throws<StoreException>(() => new PostgresBackend(store)).Message);

    private static StoreContext Context(IStoreBackend backend)
    {
        var options = new DbContextOptionsBuilder<StoreContext>();
        backend.Configure(options);
        return new StoreContext(options.Options);
    }

    private static List<string> Rows(System.Data.Common.DbConnection connection, string sql)
    {
        using (connection)
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            using var rows = command.ExecuteReader();
            var list = new List<string>();
            while (rows.Read())
            {
                list.Add(rows.GetString(0));
            }

            return list;
        }
    }

    private static void Execute(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
