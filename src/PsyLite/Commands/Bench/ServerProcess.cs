using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PsyLite.Commands.Bench;

/// <summary>A server of its own process on a free loopback port, to be measured from outside. Killed, with its children, when disposed.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan LoadLimit = TimeSpan.FromMinutes(5);
    private readonly Process process;

    private ServerProcess(Process process, int port)
    {
        this.process = process;
        Http = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")), Timeout = TimeSpan.FromHours(2) };
    }

    public HttpClient Http { get; }

    public int Id => process.Id;

    /// <param name="program">The server's program.</param>
    /// <param name="arguments">Its arguments on the given port.</param>
    /// <param name="health">Path that answers 200 once the model is loaded.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    /// <param name="cancellationToken">Stops the waiting and the server.</param>
    /// <returns>Null when the server ended or was not ready in five minutes.</returns>
    public static async Task<ServerProcess?> StartAsync(
        string program, Func<int, string[]> arguments, string health, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var port = FreePort();
        var start = new ProcessStartInfo(program, arguments(port)) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new ServerProcess(process, port);
        try
        {
            if (await server.IsReadyAsync(health, cancellationToken))
            {
                return server;
            }
        }
        catch (OperationCanceledException)
        {
            server.Dispose();
            throw;
        }

        server.Dispose();
        return null;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        process.Dispose();
        Http.Dispose();
    }

    private async Task<bool> IsReadyAsync(string health, CancellationToken cancellationToken)
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < LoadLimit && !process.HasExited;)
        {
            try
            {
                using var answer = await Http.GetAsync(health, cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    return true;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }

        return false;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
