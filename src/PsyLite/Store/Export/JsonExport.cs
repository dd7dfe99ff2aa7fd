using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PsyLite.Store.Conversations;

namespace PsyLite.Store.Export;

/// <summary>The export for programs.</summary>
internal static class JsonExport
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static async Task WriteAsync(OwnerExport export, Stream stream, DateTimeOffset at, string? only, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("format", OwnerExport.Format);
        json.WriteString("exportedAt", at);
        json.WriteString("owner", export.Owner);
        json.WriteString("label", OwnerExport.GeneratedLabel);
        if (only is null)
        {
            Write(json, "settings", await export.SettingsAsync(cancellationToken));
            Write(json, "checkIns", await export.CheckInsAsync(cancellationToken));
            Write(json, "consents", await export.ConsentsAsync(cancellationToken));
        }

        json.WriteStartArray("conversations");
        await foreach (var conversation in export.ConversationsAsync(only, cancellationToken))
        {
            var summary = conversation.Summary;
            var messages = conversation.Messages.Select(m => new
            {
                m.Ordinal,
                m.TurnId,
                m.Author,
                m.Stage,
                m.At,
                m.Body?.Text,
                m.Body?.Reasoning,
                m.Body?.Crosstalk,
                m.Body?.Tier,
                m.Body?.Route,
                m.Body?.FinishReason,
                IsGenerated = m.Author == Author.Program,
            });
            JsonSerializer.Serialize(
                json, new { summary.Id, summary.Created, summary.Updated, summary.Head.Title, summary.Head.Settings, SafetyPlan = conversation.State.Plan, Messages = messages }, Json);
            await json.FlushAsync(cancellationToken);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write<T>(Utf8JsonWriter json, string name, T value)
    {
        json.WritePropertyName(name);
        JsonSerializer.Serialize(json, value, Json);
    }
}
