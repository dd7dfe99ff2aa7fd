using System.Text.Json;

namespace PsyLite.Training.Data.Import;

/// <summary>One row of a source: its place, and either its value or why it cannot be read.</summary>
/// <param name="Line">Line of the file on which it begins, from 1.</param>
public readonly record struct SourceRow(long Line, JsonElement Value, string? Fault)
{
    /// <summary>A name that stands twice makes the row ambiguous: readers differ in which value they take.</summary>
    private static readonly JsonSerializerOptions Strict = new() { AllowDuplicateProperties = false };

    internal static SourceRow Broken(long line, string fault) => new(line, default, fault);

    internal static SourceRow Parse(long line, ReadOnlySpan<byte> json)
    {
        try
        {
            return new SourceRow(line, JsonSerializer.Deserialize<JsonElement>(json, Strict), null);
        }
        catch (JsonException e)
        {
            return Broken(line, e.Message.StartsWith("Duplicate", StringComparison.Ordinal) ? "a name stands twice in an object" : $"not JSON: {Short(e)}");
        }
    }

    /// <summary>The parser's words without its line number, which counts within the row.</summary>
    private static string Short(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var text = (end > 0 ? e.Message[..end] : e.Message).ReplaceLineEndings(" ");
        return text.Length > 120 ? text[..120] : text;
    }
}
