using System.CommandLine;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Risk;

namespace PsyLite.Commands;

/// <summary><c>psylite assess</c>: verdicts on lines of JSON, one line out for each line in, without a model.</summary>
internal static class AssessCommand
{
    public static Command Create()
    {
        var input = new Option<string>("--in") { Description = "输入文件，- 为标准输入 · JSONL to read, - is standard input", DefaultValueFactory = _ => "-" };
        var command = new Command("assess", "评估风险，不用模型 · judge risk without a model\n  echo '{\"id\":1,\"text\":\"最近睡不着\"}' | psylite assess") { input };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = parsed.GetRequiredValue(input);
            if (path != "-" && !File.Exists(path))
            {
                throw new FileNotFoundException($"there is no file {path}; check --in.");
            }

            await using var source = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            await using var target = Console.OpenStandardOutput();
            var isClean = await RunAsync(source, target, cancellationToken);
            return isClean ? CommandBoundary.Done : CommandBoundary.Failed;
        });
        return command;
    }

    /// <summary>Answers every line in order, each as soon as it is read; false when a line could not be read.</summary>
    internal static async Task<bool> RunAsync(Stream source, Stream target, CancellationToken cancellationToken)
    {
        var assessor = new RiskAssessor();
        using var reader = new StreamReader(source, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: true);
        using var buffer = new MemoryStream();
        await using var json = new Utf8JsonWriter(buffer, TurnJson.Compact);
        var isClean = true;
        while (await reader.ReadLineAsync(cancellationToken).AsTask().WaitAsync(cancellationToken) is { } line)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            isClean &= Answer(assessor, line, json);
            json.Flush();
            buffer.WriteByte((byte)'\n');
            await target.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), cancellationToken);
            await target.FlushAsync(cancellationToken);
            buffer.SetLength(0);
            json.Reset();
        }

        return isClean;
    }

    private static bool Answer(RiskAssessor assessor, string line, Utf8JsonWriter json)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var (id, messages) = Read(document.RootElement);
            var start = Stopwatch.GetTimestamp();
            var assessment = assessor.Assess(messages);
            var micros = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            json.WriteStartObject();
            json.WritePropertyName("id");
            id.WriteTo(json);
            json.WriteNumber("route", (int)assessment.Route);
            json.WriteString("tier", assessment.Tier.ToString());
            json.WriteNumber("score", Math.Round(assessment.Score, 4));
            TurnJson.WriteSignals(json, assessment.Signals);
            json.WriteNumber("micros", Math.Round(micros, 1));
            json.WriteEndObject();
            return true;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            json.WriteStartObject();
            json.WriteNull("id");
            json.WriteString("error", e is FormatException ? e.Message : "the line is not valid JSON");
            json.WriteEndObject();
            return false;
        }
    }

    private static (JsonElement Id, List<ChatMessage> Messages) Read(JsonElement line)
    {
        if (line.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("a line must be an object");
        }

        if (!line.TryGetProperty("id", out var id) || id.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.Null))
        {
            throw new FormatException("id must be a string or a number");
        }

        if (id.ValueKind == JsonValueKind.String)
        {
            // Half a character in it is found here, not while the answer is being written.
            _ = id.GetString();
        }

        if (line.TryGetProperty("text", out var text))
        {
            return (id, [new ChatMessage(ChatRole.User, Text(text, "text"))]);
        }

        if (!line.TryGetProperty("messages", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException("a line needs text or messages");
        }

        var messages = list.EnumerateArray().Select(Message).ToList();
        return messages.Any(m => m.Role == ChatRole.User) ? (id, messages) : throw new FormatException("messages need at least one from the user");
    }

    private static ChatMessage Message(JsonElement message) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty("role", out var role) && message.TryGetProperty("content", out var content)
            ? new ChatMessage(new ChatRole(Text(role, "role")), Text(content, "content"))
            : throw new FormatException("every message needs role and content");

    private static string Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new FormatException($"{name} must be a string");
}
