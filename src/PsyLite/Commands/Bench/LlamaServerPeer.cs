using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PsyLite.Commands.Bench;

/// <summary>A streamed reply: tokens as the server counted them, and when the first and the last piece came, in milliseconds from the request.</summary>
internal sealed record PeerReply(string Text, double FirstMs, double TotalMs, int Tokens);

/// <summary>A llama-server of its own process on the same file, asked over its OpenAI surface. Stopped when disposed.</summary>
internal sealed class LlamaServerPeer : IDisposable
{
    private const string Hint = "no llama-server: build it from llama.cpp v0.5.0 and pass --llama-server FILE.";
    private static readonly TimeSpan LoadLimit = TimeSpan.FromMinutes(5);
    private readonly Process _process;
    private readonly HttpClient _http;

    private LlamaServerPeer(Process process, int port)
    {
        _process = process;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromHours(2) };
    }

    /// <summary>Starts the server and waits until it has loaded the model; null, with a line on standard error, when it cannot.</summary>
    public static async Task<LlamaServerPeer?> StartAsync(string? program, string model, int context, int slots, CancellationToken cancellationToken)
    {
        if (program is null || !File.Exists(program))
        {
            await Console.Error.WriteLineAsync($"psylite: {Hint}");
            return null;
        }

        var port = FreePort();
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "-m", model, "--port", Text(port), "-c", Text(context), "-np", Text(slots), "-t", Text(Environment.ProcessorCount) })
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var peer = new LlamaServerPeer(process, port);
        if (await peer.IsReadyAsync(cancellationToken))
        {
            return peer;
        }

        await Console.Error.WriteLineAsync($"psylite: {program} did not load {model}.");
        peer.Dispose();
        return null;
    }

    /// <summary>Streams a reply at temperature 0.</summary>
    public async Task<PeerReply> ReplyAsync(JsonArray messages, int maxTokens, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["messages"] = messages.DeepClone(), ["max_tokens"] = maxTokens, ["temperature"] = 0, ["stream"] = true, ["stream_options"] = new JsonObject { ["include_usage"] = true } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) };
        var started = Stopwatch.GetTimestamp();
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        var text = new System.Text.StringBuilder();
        var (first, tokens) = (double.NaN, 0);
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal))
            {
                continue;
            }

            using var json = JsonDocument.Parse(line["data: ".Length..]);
            tokens = Tokens(json.RootElement) ?? tokens;
            if (Piece(json.RootElement) is { Length: > 0 } piece)
            {
                first = text.Length == 0 ? Stopwatch.GetElapsedTime(started).TotalMilliseconds : first;
                text.Append(piece);
            }
        }

        var total = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        return new PeerReply(text.ToString(), text.Length == 0 ? total : first, total, tokens);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
        _http.Dispose();
    }

    private static int? Tokens(JsonElement chunk) =>
        chunk.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object ? usage.GetProperty("completion_tokens").GetInt32() : null;

    private static string? Piece(JsonElement chunk)
    {
        if (!chunk.TryGetProperty("choices", out var choices) || choices.GetArrayLength() == 0 || !choices[0].TryGetProperty("delta", out var delta))
        {
            return null;
        }

        string? Part(string name) => delta.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.String ? part.GetString() : null;
        return Part("content") is { Length: > 0 } content ? content : Part("reasoning_content");
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < LoadLimit && !_process.HasExited;)
        {
            try
            {
                using var health = await _http.GetAsync("/health", cancellationToken);
                if (health.IsSuccessStatusCode)
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

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
