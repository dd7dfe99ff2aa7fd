using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PsyLite.Evaluation.Reports;

/// <summary>Reports as JSON: names in camel case, enums by name, Chinese as it is.</summary>
public static class ReportJson
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>The same on one line, for files of one record a line.</summary>
    private static readonly JsonSerializerOptions OneLine = new(Format) { WriteIndented = false };

    public static string Write<T>(T report) => JsonSerializer.Serialize(report, Format);

    public static string WriteLine<T>(T record) => JsonSerializer.Serialize(record, OneLine);

    /// <exception cref="JsonException">The text is no such record.</exception>
    public static T? Read<T>(string text) => JsonSerializer.Deserialize<T>(text, Format);

    /// <summary>Writes a file whole or not at all.</summary>
    public static async Task SaveAsync(string path, string text, CancellationToken cancellationToken = default)
    {
        var temporary = path + ".tmp";
        await File.WriteAllTextAsync(temporary, text, cancellationToken);
        File.Move(temporary, path, overwrite: true);
    }
}
