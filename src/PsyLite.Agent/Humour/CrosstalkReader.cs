using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent.Humour;

/// <summary>What one entry of a file of pieces turned out to be: a piece, or the reason why it is none. Not vetted yet.</summary>
public sealed record CrosstalkEntry(int Line, CrosstalkPiece? Piece, string? Fault);

/// <summary>Reads pieces from YAML (a list, or <c>licence:</c> and a list) and from JSONL (one piece a line).</summary>
public static class CrosstalkReader
{
    private const int LongestJsonLine = 64 * 1024;
    private const int LongestYaml = 32 * 1024 * 1024;

    /// <summary>The entries of a file, in order; throws a <see cref="FormatException"/> when the file as a whole cannot be read.</summary>
    public static IEnumerable<CrosstalkEntry> ReadFile(string path)
    {
        var isJson = Path.GetExtension(path) is ".jsonl" or ".ndjson" or ".json";
        if (!isJson && new FileInfo(path).Length > LongestYaml)
        {
            throw new FormatException($"{Path.GetFileName(path)} is larger than {LongestYaml / (1024 * 1024)} MB; write it as JSONL, one piece a line.");
        }

        using var reader = new StreamReader(path);
        foreach (var entry in isJson ? ReadJsonLines(reader) : ReadYaml(reader, Path.GetFileName(path)))
        {
            yield return entry;
        }
    }

    public static IEnumerable<CrosstalkEntry> ReadYaml(TextReader reader, string source)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(reader);
        }
        catch (Exception fault) when (fault is YamlException or InvalidOperationException or ArgumentException)
        {
            // The parser throws its own exceptions for most broken files and general ones for a few.
            var line = fault is YamlException at ? $" (line {at.Start.Line})" : "";
            throw new FormatException($"{source} is no readable YAML{line}: correct the file.", fault);
        }

        if (yaml.Documents.Count == 0)
        {
            return [];
        }

        var root = yaml.Documents[0].RootNode;
        var map = root as YamlMappingNode;
        var list = root as YamlSequenceNode ?? map?.Children.Values.OfType<YamlSequenceNode>().FirstOrDefault()
            ?? throw new FormatException($"{source} holds no list of pieces.");
        var licence = map is not null && map.Children.TryGetValue("licence", out var node) ? (node as YamlScalarNode)?.Value : null;
        return [.. list.Select(entry => ReadYamlPiece(entry, licence))];
    }

    public static IEnumerable<CrosstalkEntry> ReadJsonLines(TextReader reader)
    {
        var number = 0;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return ReadJsonPiece(line, number);
            }
        }
    }

    /// <summary>One piece as JSON; the entry carries the fault when it is none.</summary>
    public static CrosstalkEntry ReadJsonPiece(string line, int number = 0)
    {
        if (line.Length > LongestJsonLine)
        {
            return new CrosstalkEntry(number, null, $"it is longer than {LongestJsonLine} characters.");
        }

        try
        {
            using var json = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 4 });
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return new CrosstalkEntry(number, null, "it is no object {\"id\":…,\"title\":…,\"lines\":[…]}.");
            }

            var piece = new CrosstalkPiece(Text(root, "id") ?? "", Text(root, "title") ?? "", Strings(root, "themes"), Text(root, "tone") ?? "", Strings(root, "unfit"), Strings(root, "lines"))
            {
                Licence = Text(root, "licence") ?? Text(root, "license"),
            };
            return piece.Id.Length == 0 ? new CrosstalkEntry(number, null, "it is a piece without an id.") : new CrosstalkEntry(number, piece, null);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a value of another kind than expected, or half a character in a string.
            return new CrosstalkEntry(number, null, "it is no readable JSON piece.");
        }
    }

    public static string ToJson(CrosstalkPiece piece)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("id", piece.Id);
            json.WriteString("title", piece.Title);
            WriteStrings(json, "themes", piece.Themes);
            json.WriteString("tone", piece.Tone);
            WriteStrings(json, "unfit", piece.Unfit);
            WriteStrings(json, "lines", piece.Lines);
            json.WriteString("licence", piece.Licence);
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static CrosstalkEntry ReadYamlPiece(YamlNode entry, string? licence)
    {
        var line = (int)entry.Start.Line;
        if (entry is not YamlMappingNode node)
        {
            return new CrosstalkEntry(line, null, "it is an entry that is no piece.");
        }

        try
        {
            var id = node.Text("id");
            return string.IsNullOrEmpty(id)
                ? new CrosstalkEntry(line, null, "it is a piece without an id.")
                : new CrosstalkEntry(line, new CrosstalkPiece(id, node.Text("title") ?? "", [.. node.Strings("themes")], node.Text("tone") ?? "", [.. node.Strings("unfit")], [.. node.Strings("lines")])
                {
                    Licence = node.Text("licence") ?? licence,
                }, null);
        }
        catch (FormatException fault)
        {
            return new CrosstalkEntry(line, null, fault.Message);
        }
    }

    private static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null;

    private static List<string> Strings(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) ? [.. value.EnumerateArray().Select(e => e.GetString() ?? "")] : [];

    private static void WriteStrings(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
