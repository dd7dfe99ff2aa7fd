using System.Diagnostics;
using Npgsql;

namespace PsyLite.Tests.Store;

/// <summary>
/// A real PostgreSQL server with a cluster of its own in a temporary folder, reached by a socket in it. It refuses to run as root, so that
/// root starts it under the account that the Debian package brings.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-pg-").FullName;
    private Process? _server;

    private static bool IsRoot => Environment.UserName == "root";

    private string Connection => $"Host={_folder};Username=postgres;Database=postgres;Timeout=10;Maximum Pool Size=60";

    public async Task InitializeAsync()
    {
        var bin = Directory.EnumerateDirectories("/usr/lib/postgresql").Order().Last() + "/bin/";
        if (IsRoot)
        {
            Assert.Equal(0, await RunAsync("chown", ["postgres", _folder]));
        }

        var data = Path.Combine(_folder, "data");
        Assert.Equal(0, await RunAsync(bin + "initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"], isServer: true));
        _server = Start(bin + "postgres", ["-D", data, "-k", _folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=80"], isServer: true);
        for (var patience = Stopwatch.StartNew(); ; await Task.Delay(100))
        {
            try
            {
                await using var connection = new NpgsqlConnection(Connection);
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (patience.Elapsed < TimeSpan.FromSeconds(30))
            {
                // Not up yet.
            }
        }
    }

    /// <summary>A fresh database.</summary>
    public async Task<string> CreateAsync()
    {
        var name = "t" + Guid.NewGuid().ToString("N");
        await using var connection = new NpgsqlConnection(Connection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await command.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(Connection) { Database = name }.ConnectionString;
    }

    public async Task DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_server is not null)
        {
            _server.Kill(entireProcessTree: true);
            await _server.WaitForExitAsync();
            _server.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static Process Start(string program, IEnumerable<string> arguments, bool isServer)
    {
        IEnumerable<string> line = isServer && IsRoot ? ["runuser", "-u", "postgres", "--", program, .. arguments] : [program, .. arguments];
        var start = new ProcessStartInfo(line.First(), line.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task<int> RunAsync(string program, IEnumerable<string> arguments, bool isServer = false)
    {
        using var process = Start(program, arguments, isServer);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}

[CollectionDefinition("postgres")]
public sealed class PostgresCollection : ICollectionFixture<PostgresServer>;
