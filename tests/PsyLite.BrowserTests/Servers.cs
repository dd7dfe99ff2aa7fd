using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using PsyLite.Options;
using PsyLite.Server;
using PsyLite.Store;
using PsyLite.Tests.Store;

namespace PsyLite.BrowserTests;

/// <summary>The built program as a process of its own, with the model that comes with it.</summary>
internal sealed class ServedProgram : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TemporaryFolder _folder;
    private readonly ConcurrentQueue<string> _lines = new();

    private ServedProgram(Process process, TemporaryFolder folder, string address)
    {
        _process = process;
        _folder = folder;
        Address = address;
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Address { get; }

    /// <summary>Everything the program has printed so far.</summary>
    public string Printed => string.Join('\n', _lines);

    /// <param name="settings">Variables that are its settings, besides those that keep it in a folder of its own.</param>
    public static async Task<ServedProgram> StartAsync(IReadOnlyDictionary<string, string>? settings = null)
    {
        // The program's own build output: artifacts/bin/<project>/<configuration>/
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../PsyLite", configuration, "psylite"));
        var address = $"http://127.0.0.1:{FreePort()}";
        var start = new ProcessStartInfo(program, ["serve", "--urls", address]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var folder = new TemporaryFolder();
        start.Environment["XDG_DATA_HOME"] = folder[""];
        start.Environment["PSYLITE_STORE"] = folder["psylite.db"];
        foreach (var (name, value) in settings ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var served = new ServedProgram(Process.Start(start)!, folder, address);
        using var http = new HttpClient();
        for (var patience = Stopwatch.StartNew(); patience.Elapsed < TimeSpan.FromSeconds(60); await Task.Delay(100))
        {
            try
            {
                if ((await http.GetAsync($"{address}/readyz")).StatusCode == HttpStatusCode.OK)
                {
                    return served;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        }

        await served.DisposeAsync();
        throw new TimeoutException($"{program} did not become ready:\n{served.Printed}");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _lines.Enqueue(line);
        }
    }
}

/// <summary>The same server inside the test, over a model that says what the test wants at the pace it wants.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Composition _parts;
    private readonly StoreHost _store;
    private readonly WebApplication _app;
    private readonly TemporaryFolder _folder;

    private ScriptedServer(Composition parts, StoreHost store, WebApplication app, TemporaryFolder folder)
    {
        (_parts, _store, _app, _folder) = (parts, store, app, folder);
    }

    public string Address => _app.Urls.First();

    /// <summary>The file with everything that is kept.</summary>
    public string StoreFile => _parts.Options.Store;

    public static async Task<ScriptedServer> StartAsync(IChatClient model, TimeProvider? time = null)
    {
        var folder = new TemporaryFolder();
        var options = new AppOptions { Urls = "http://127.0.0.1:0", Store = folder["psylite.db"] };
        var store = new StoreHost(options, time ?? TimeProvider.System, _ => { });
        var parts = Composition.Create(options, time, () => Task.FromResult(new LoadedModel(model, Calm, "scripted")), store: store);
        var app = PsyLiteServer.Build(parts);
        await app.StartAsync();
        parts.Model.Start();
        await parts.Model.Settled;
        return new ScriptedServer(parts, store, app, folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _parts.Dispose();
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    private static ValueTask<IReadOnlyList<double>> Calm(IReadOnlyList<ChatMessage> conversation, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<double>>([.. labels.Select(l => l == "平稳" ? -0.01 : -6)]);
}
