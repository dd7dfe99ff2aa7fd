using System.Text.Json;
using PsyLite.Models.Text;
using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Import;

/// <summary>A row as a record, or why it is none.</summary>
internal readonly record struct MappedRow(DataRecord? Record, string? Fault);

/// <summary>What holds for all rows of a source.</summary>
/// <param name="Name">Name of the set, first part of the ids.</param>
/// <param name="Topic">Topic where a row names none, such as the folder of CPsyCounE.</param>
internal sealed record SourceFacts(string Name, SourceFormat Format, string? Licence, string? Topic);

/// <summary>Rows of the known formats to records.</summary>
internal static class RowMapper
{
    private const string Client = "求助者";
    private static readonly string[] ClientNames = [Client, "来访者", "client", "user", "human"];
    private static readonly string[] CounsellorNames = ["支持者", "咨询师", "counselor", "counsellor", "assistant", "gpt"];

    public static MappedRow Map(JsonElement row, long number, SourceFacts source)
    {
        try
        {
            var format = source.Format == SourceFormat.Auto ? FormatDetection.Of(row) : source.Format;
            var record = format switch
            {
                null => null,
                SourceFormat.CPsyCoun => CPsyCoun(row),
                SourceFormat.ShareGpt => Plain("dialogue", Speakers(row.Items("conversations"), "from", "value", row.Text("system"))),
                SourceFormat.OpenAi => Plain("dialogue", Speakers(row.Items("messages"), "role", "content", "")),
                SourceFormat.Alpaca => Alpaca(row),
                SourceFormat.R1Distill => R1Distill(row),
                SourceFormat.SafeRlhf => SafeRlhf(row),
                SourceFormat.Pairs => Pair(row),
                _ => row.Deserialize<DataRecord>(DataRecord.Json),
            };
            if (record is null)
            {
                return new MappedRow(null, format is null ? "its fields are those of no known format; name one with --format" : $"it is no {format} row: a field is missing or of another kind");
            }

            record = Named(record, row, number, source);
            return record.Fault() is { } fault ? new MappedRow(null, fault) : new MappedRow(record, null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return new MappedRow(null, "a field is of another kind, or its text is not valid UTF-8");
        }
    }

    private static DataRecord Named(DataRecord record, JsonElement row, long number, SourceFacts source) => record with
    {
        Id = record.Id is { Length: > 0 } id ? id : $"{source.Name}/{number}",
        Source = record.Source is { Length: > 0 } given ? given : source.Name,
        Topic = record.Topic ?? row.Given("topic") ?? source.Topic,
        Licence = source.Licence ?? record.Licence ?? row.Given("licence") ?? row.Given("license"),
        Origin = record.Origin ?? row.Given("repo_name"),
        Score = record.Score ?? row.Number("score"),
    };

    private static DataRecord? Plain(string kind, List<SampleMessage>? messages) => messages is null ? null : new DataRecord("", kind, "", messages);

    /// <summary>A reply with its reasoning in <c>&lt;think&gt;</c>, or closed by a tag that the chat template opened.</summary>
    private static SampleMessage Reply(string text, string reasoning = "")
    {
        var splitter = new ThinkSplitter(startsInsideThink: !text.Contains("<think", StringComparison.OrdinalIgnoreCase) && text.Contains("</think", StringComparison.OrdinalIgnoreCase));
        var (body, rest) = (splitter.Push(text), splitter.Finish());
        reasoning = reasoning.Length > 0 ? reasoning : JsonFields.Clean(body.Reasoning + rest.Reasoning);
        return new SampleMessage("assistant", JsonFields.Clean(body.Content + rest.Content)) { Reasoning = reasoning.Length > 0 ? reasoning : null };
    }

    private static DataRecord? CPsyCoun(JsonElement row)
    {
        if (row.ValueKind == JsonValueKind.Array || row.IsList("dialogue") || row.IsList("dialog"))
        {
            var lines = row.ValueKind == JsonValueKind.Array ? row.EnumerateArray() : row.Items(row.IsList("dialogue") ? "dialogue" : "dialog");
            return Plain("counsel", Spoken(lines));
        }

        if (!row.IsList("conversation"))
        {
            return Alpaca(row) is { } flat ? flat with { Kind = "counsel" } : null;
        }

        var messages = new List<SampleMessage>();
        foreach (var turn in row.Items("conversation"))
        {
            if (messages.Count == 0 && turn.Given("system") is { } system)
            {
                messages.Add(new SampleMessage("system", system));
            }

            messages.Add(new SampleMessage("user", turn.Text("input", "instruction")));
            messages.Add(Reply(turn.Text("output")));
        }

        return Plain("counsel", Ended(messages));
    }

    /// <summary>Lines that name their speaker; lines of one speaker in a row are one message.</summary>
    private static List<SampleMessage>? Spoken(IEnumerable<JsonElement> lines)
    {
        var messages = new List<SampleMessage>();
        foreach (var line in lines)
        {
            if (line.ValueKind != JsonValueKind.String)
            {
                return null;
            }

            var text = JsonFields.Clean(line.GetString()!);
            var colon = text.AsSpan().IndexOfAny('：', ':');
            var role = colon < 0 ? null : Role(text[..colon].Trim());
            if (role is null)
            {
                return null;
            }

            Append(messages, role, JsonFields.Clean(text[(colon + 1)..]));
        }

        return Ended(messages);
    }

    private static string? Role(string name) =>
        ClientNames.Contains(name, StringComparer.OrdinalIgnoreCase) ? "user"
        : CounsellorNames.Contains(name, StringComparer.OrdinalIgnoreCase) ? "assistant"
        : name.Equals("system", StringComparison.OrdinalIgnoreCase) ? "system"
        : null;

    private static void Append(List<SampleMessage> messages, string role, string text)
    {
        if (messages is [.., var last] && last.Role == role)
        {
            messages[^1] = last with { Content = $"{last.Content}\n{text}" };
        }
        else
        {
            messages.Add(role == "assistant" ? Reply(text) : new SampleMessage(role, text));
        }
    }

    /// <summary>Without what follows the last reply: nobody answered it.</summary>
    private static List<SampleMessage> Ended(List<SampleMessage> messages)
    {
        while (messages is [.., { Role: not "assistant" }])
        {
            messages.RemoveAt(messages.Count - 1);
        }

        return messages;
    }

    private static List<SampleMessage>? Speakers(IEnumerable<JsonElement> turns, string from, string value, string system)
    {
        var messages = new List<SampleMessage>();
        if (system.Length > 0)
        {
            messages.Add(new SampleMessage("system", system));
        }

        foreach (var turn in turns)
        {
            if (Role(turn.Text(from)) is not { } role)
            {
                return null;
            }

            var reasoning = role == "assistant" ? turn.Text("reasoning", "reasoning_content") : "";
            messages.Add(role == "assistant" ? Reply(turn.Text(value), reasoning) : new SampleMessage(role, turn.Text(value)));
        }

        return Ended(messages);
    }

    private static DataRecord? Alpaca(JsonElement row)
    {
        var messages = new List<SampleMessage>();
        if (row.Given("system") is { } system)
        {
            messages.Add(new SampleMessage("system", system));
        }

        foreach (var pair in row.Items("history"))
        {
            if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2 || pair[0].ValueKind != JsonValueKind.String || pair[1].ValueKind != JsonValueKind.String)
            {
                return null;
            }

            messages.Add(new SampleMessage("user", JsonFields.Clean(pair[0].GetString()!)));
            messages.Add(Reply(JsonFields.Clean(pair[1].GetString()!)) with { Reasoning = null });
        }

        var (instruction, input) = (row.Text("instruction", "prompt", "question"), row.Text("input"));
        messages.Add(new SampleMessage("user", instruction.Length > 0 && input.Length > 0 ? $"{instruction}\n{input}" : instruction + input));
        messages.Add(Reply(row.Text("output", "response", "answer")));
        return Plain("general", messages);
    }

    /// <summary>The plain set has input, reasoning_content and content; its SFT form instruction and an output with the reasoning inside.</summary>
    private static DataRecord? R1Distill(JsonElement row)
    {
        var (instruction, input) = (row.Text("instruction"), row.Text("input"));
        var asked = instruction.Length > 0 && input.Length > 0 ? $"{instruction}\n{input}" : instruction + input;
        return new DataRecord("", "general", "", [new SampleMessage("user", asked), Reply(row.Text("output", "content"), row.Text("reasoning_content"))]);
    }

    private static DataRecord? SafeRlhf(JsonElement row)
    {
        if (row.Number("better_response_id") is not (0 or 1) || row.Number("better_response_id") is not { } better)
        {
            return null;
        }

        var replies = new[] { Reply(row.Text("response_0")), Reply(row.Text("response_1")) };
        var safety = new[] { 0, 1 }.SelectMany(n => Harms(row, n)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return new DataRecord("", "pair", "", [new SampleMessage("user", row.Text("prompt")), replies[(int)better]])
        {
            Rejected = replies[1 - (int)better],
            Safety = safety.Count > 0 ? safety : null,
        };
    }

    private static IEnumerable<string> Harms(JsonElement row, int reply)
    {
        var found = row.TryGetProperty($"response_{reply}_harm_category", out var harms) && harms.ValueKind == JsonValueKind.Object
            ? harms.EnumerateObject().Where(h => h.Value.ValueKind == JsonValueKind.True).Select(h => h.Name)
            : [];
        return found.Append(row.TryGetProperty($"is_response_{reply}_safe", out var safe) && safe.ValueKind == JsonValueKind.False ? "unsafe reply" : "").Where(h => h.Length > 0);
    }

    /// <summary>Lists of equal length that agree up to the last message, or two texts beside a prompt.</summary>
    private static DataRecord? Pair(JsonElement row)
    {
        if (!row.IsList("chosen") || !row.IsList("rejected"))
        {
            var asked = row.Text("prompt", "instruction", "question");
            return new DataRecord("", "pair", "", [new SampleMessage("user", asked), Reply(row.Text("chosen"))]) { Rejected = Reply(row.Text("rejected")) };
        }

        var chosen = Speakers(row.Items("chosen"), "role", "content", "");
        var rejected = Speakers(row.Items("rejected"), "role", "content", "");
        return chosen is null or [] || rejected is null || chosen.Count != rejected.Count || !chosen.Take(chosen.Count - 1).SequenceEqual(rejected.Take(chosen.Count - 1))
            ? null
            : new DataRecord("", "pair", "", chosen) { Rejected = rejected[^1] };
    }
}
