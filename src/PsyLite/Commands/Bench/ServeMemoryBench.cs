using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PsyLite.Engine.Measuring;

namespace PsyLite.Commands.Bench;

/// <summary>Peak resident memory (VmHWM) of a whole <c>psylite serve</c> process whose context has been filled by a long conversation.</summary>
internal static class ServeMemoryBench
{
    private const int Context = 4096;
    private const int ReplyTokens = 32;

    /// <param name="conversation">Messages that fill the context; they are sent in turns, as a person would come to them.</param>
    public static async Task RunAsync(string path, IReadOnlyList<ChatMessage> conversation, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            await Console.Error.WriteLineAsync("psylite: peak memory is read from /proc, which only Linux has.");
            return;
        }

        string[] Arguments(int port) => ["serve", "--model", path, "--urls", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")];
        var environment = new Dictionary<string, string> { ["PSYLITE_CONTEXT"] = Context.ToString(CultureInfo.InvariantCulture), ["PSYLITE_CACHE"] = "off" };

        // The server gives back code that it does not use, which the system grants for pages that no other process holds: this one lets go of them first.
        OwnPages.GiveBack();
        using var server = await ServerProcess.StartAsync(Environment.ProcessPath!, Arguments, "/readyz", environment, cancellationToken)
            ?? throw new InvalidDataException("psylite serve did not become ready: try `psylite serve` by hand and read what it says.");
        var longest = 0;
        for (var turn = 1; turn <= conversation.Count; turn += 2)
        {
            longest = Math.Max(longest, await AskAsync(server.Http, conversation.Take(turn), cancellationToken));
        }

        new BenchLine("engine", $"psylite serve, {Path.GetFileName(path)}, {longest} tokens read", "peakRss", PeakBytes(server.Id), "bytes").Print();
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
