using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using PsyLite.Options;

namespace PsyLite.Commands.Bench;

/// <param name="Mixed">Replies or records in which something of another person was found.</param>
internal sealed record CrowdReport(int Turns, int Errors, int Mixed, double Seconds, double RestingBytes, double PeakBytes);

/// <summary>
/// People who talk to a real server process all at once, every second of them in danger. Each says a number that nobody else says: a calm person who
/// gets a crisis reply, or a record that holds another's number, shows that state was shared.
/// </summary>
internal static class ServedCrowd
{
    private const int ReplyTokens = 16;
    private static readonly string[] Calm = ["今天做了一顿饭，味道还行", "工作上的事有点烦，想聊聊", "周末想出去走走，不知道去哪", "在学画画，手很笨", "猫今天跑出去又自己回来了"];

    public static async Task<CrowdReport> RunAsync(AppOptions options, int people, int turns, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("psylite-bench-").FullName;
        try
        {
            var environment = new Dictionary<string, string>
            {
                ["PSYLITE_STORE"] = Path.Combine(folder, "psylite.db"),
                ["PSYLITE_VALVES"] = Path.Combine(folder, "valves.json"),
                ["PSYLITE_MAX_TURNS"] = "4096",
                ["PSYLITE_REQUESTS_PER_MINUTE"] = "60000",
            };
            string[] Arguments(int port) => ["serve", "--urls", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), .. options.Model is { } model ? new[] { "--model", model } : []];
            using var server = await ServerProcess.StartAsync(Environment.ProcessPath!, Arguments, "/readyz", environment, cancellationToken)
                ?? throw new InvalidDataException("psylite serve did not become ready: try `psylite serve` by hand and read what it says.");
            var resting = Bytes(server.Id, "VmRSS:");
            var watch = Stopwatch.StartNew();
            var results = await Task.WhenAll(Enumerable.Range(0, people).Select(p => TalkAsync(server.Http, p, turns, cancellationToken)));
            return new CrowdReport(people * turns, results.Sum(r => r.Errors), results.Sum(r => r.Mixed), watch.Elapsed.TotalSeconds, resting, Bytes(server.Id, "VmHWM:"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(int Errors, int Mixed)> TalkAsync(HttpClient http, int person, int turns, CancellationToken cancellationToken)
    {
        var (errors, mixed) = (0, 0);
        var (name, isInDanger) = ($"p{person}", person % 2 == 1);
        for (var turn = 0; turn < turns; turn++)
        {
            var said = isInDanger && turn > 0 ? $"我不想活了，药已经买好了（{Number(person)}）" : $"{Calm[(person + turn) % Calm.Length]}（{Number(person)}）";
            var body = new JsonObject
            {
                ["model"] = "psylite",
                ["user"] = name,
                ["conversation_id"] = "talk",
                ["max_tokens"] = ReplyTokens,
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = said }),
            };
            using var response = await http.PostAsJsonAsync("/v1/chat/completions", body, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                errors++;
                continue;
            }

            var reply = (await response.Content.ReadFromJsonAsync<JsonObject>(cancellationToken))?["choices"]?[0]?["message"]?["content"]?.GetValue<string>() ?? "";
            mixed += reply.Contains("12356", StringComparison.Ordinal) == (isInDanger && turn > 0) || (isInDanger && turn > 1) ? 0 : 1;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, "/me/conversations/talk") { Headers = { { "X-OpenWebUI-User-Id", name } } };
        using var record = await http.SendAsync(request, cancellationToken);
        var messages = record.IsSuccessStatusCode ? (await record.Content.ReadFromJsonAsync<JsonObject>(cancellationToken))?["messages"]?.AsArray() : null;
        var own = messages?.Where(m => m?["author"]?.GetValue<string>() == "person").Select(m => m!["text"]!.GetValue<string>()).ToList() ?? [];
        errors += own.Count == turns ? 0 : 1;
        mixed += own.Count(text => !text.Contains($"（{Number(person)}）", StringComparison.Ordinal));
        return (errors, mixed);
    }

    private static string Number(int person) => string.Create(CultureInfo.InvariantCulture, $"编号{person + 100_000}");

    private static double Bytes(int process, string line) => !OperatingSystem.IsLinux() ? double.NaN
        : 1024 * double.Parse(File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith(line, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
