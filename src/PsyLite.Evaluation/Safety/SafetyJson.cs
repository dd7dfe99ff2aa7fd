using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PsyLite.Evaluation.Safety;

/// <summary>The report as JSON: names in camel case, enums by name, Chinese as it is.</summary>
public static class SafetyJson
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    public static string Write(SafetyReport report) => JsonSerializer.Serialize(report, Format);
}
