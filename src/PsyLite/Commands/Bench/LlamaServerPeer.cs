using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PsyLite.Commands.Bench;

/// <summary>A streamed reply: tokens as the server counted them, and when the first and the last piece came, in milliseconds from the request.</summary>
internal sealed record PeerReply(double FirstMs, double TotalMs, int Tokens);

/// <summary>A llama-server of its own process on the same file, asked over its OpenAI surface. Stopped when disposed.</summary>
internal sealed class LlamaServerPeer : IDisposable
{
    private const string Hint = "no llama-server: build it from llama.cpp v0.5.0 and pass --llama-server FILE.";
    private readonly ServerProcess server;

    private LlamaServerPeer(ServerProcess server) => this.server = server;

    /// <summary>Starts the server and waits until it has loaded the model; null, with a line on standard error, when it cannot.</summary>
    public static async Task<LlamaServerPeer?> StartAsync(string? program, string model, int context, int slots, CancellationToken cancellationToken)
    {
        if (program is null || !File.Exists(program))
        {
            await Console.Error.WriteLineAsync($"psylite: {Hint}");
            return null;
        }

        string[] Arguments(int port) => ["-m", model, "--port", Text(port), "-c", Text(context), "-np", Text(slots), "-t", Text(Environment.ProcessorCount)];
        if (await ServerProcess.StartAsync(program, Arguments, "/health", new Dictionary<string, string>(), cancellationToken) is { } server)
        {
            return new LlamaServerPeer(server);
        }

        await Console.Error.WriteLineAsync($"psylite: {program} did not load {model}.");
        return null;
    }

    /// <summary>Streams a reply at temperature 0.</summary>
    public async Task<PeerReply> ReplyAsync(JsonArray messages, int maxTokens, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["messages"] = messages.DeepClone(), ["max_tokens"] = maxTokens, ["temperature"] = 0, ["stream"] = true, ["stream_options"] = new JsonObject { ["include_usage"] = true } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        var started = Stopwatch.GetTimestamp();
        using var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        double? first = null;
        var tokens = 0;
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal))
            {
                continue;
            }

            using var json = JsonDocument.Parse(line["data: ".Length..]);
            tokens = Tokens(json.RootElement) ?? tokens;
            if (Speaks(json.RootElement))
            {
                first ??= Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            }
        }

        var total = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        return new PeerReply(first ?? total, total, tokens);
    }

    public void Dispose() => server.Dispose();

    private static int? Tokens(JsonElement chunk) =>
        chunk.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object ? usage.GetProperty("completion_tokens").GetInt32() : null;

    /// <summary>The chunk holds words, of the reply or of its reasoning.</summary>
    private static bool Speaks(JsonElement chunk)
    {
        if (!chunk.TryGetProperty("choices", out var choices) || choices.GetArrayLength() == 0 || !choices[0].TryGetProperty("delta", out var delta))
        {
            return false;
        }

        bool Has(string name) => delta.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.String && part.GetString() is { Length: > 0 };
        return Has("content") || Has("reasoning_content");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
