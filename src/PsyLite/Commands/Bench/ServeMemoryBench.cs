using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PsyLite.Commands.Bench;

/// <summary>Peak resident memory (VmHWM) of a whole <c>psylite serve</c> process whose context has been filled by a long conversation.</summary>
internal static class ServeMemoryBench
{
    private const int Context = 4096;
    private const int ReplyTokens = 32;
    private static readonly TimeSpan LoadLimit = TimeSpan.FromMinutes(5);

    /// <param name="conversation">Messages that fill the context; they are sent in turns, as a person would come to them.</param>
    public static async Task RunAsync(string path, IReadOnlyList<ChatMessage> conversation, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            await Console.Error.WriteLineAsync("psylite: peak memory is read from /proc, which only Linux has.");
            return;
        }

        using var server = Start(path, LlamaServerPeer.FreePort(), out var address);
        try
        {
            using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(30) };
            await ReadyAsync(server, http, cancellationToken);
            var longest = 0;
            for (var turn = 1; turn <= conversation.Count; turn += 2)
            {
                longest = Math.Max(longest, await AskAsync(http, conversation.Take(turn), cancellationToken));
            }

            new BenchLine("engine", $"psylite serve, {Path.GetFileName(path)}, {longest} tokens read", "peakRss", PeakBytes(server.Id), "bytes").Print();
        }
        finally
        {
            if (!server.HasExited)
            {
                server.Kill(entireProcessTree: true);
            }
        }
    }

    private static Process Start(string path, int port, out Uri address)
    {
        address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "serve", "--model", path, "--urls", address.ToString() })
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["PSYLITE_CONTEXT"] = Context.ToString(CultureInfo.InvariantCulture);
        start.Environment["PSYLITE_CACHE"] = "off";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task ReadyAsync(Process server, HttpClient http, CancellationToken cancellationToken)
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < LoadLimit && !server.HasExited;)
        {
            try
            {
                using var ready = await http.GetAsync("/readyz", cancellationToken);
                if (ready.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }

        throw new InvalidDataException("psylite serve did not become ready: try `psylite serve` by hand and read what it says.");
    }

    /// <returns>Tokens that the model read.</returns>
    private static async Task<int> AskAsync(HttpClient http, IEnumerable<ChatMessage> messages, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["model"] = "psylite", ["messages"] = OriginalWorkflow.Messages(messages), ["max_tokens"] = ReplyTokens };
        using var response = await http.PostAsJsonAsync("/v1/chat/completions", body, cancellationToken);
        response.EnsureSuccessStatusCode();
        var reply = await response.Content.ReadFromJsonAsync<JsonObject>(cancellationToken);
        return reply?["usage"]?["prompt_tokens"]?.GetValue<int>() ?? 0;
    }

    private static double PeakBytes(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return 1024 * double.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
