using System.Text.Json;
using System.Text.Json.Nodes;

namespace PsyLite.Server.Pipelines;

/// <summary>What a valve holds.</summary>
internal enum ValveKind
{
    Flag,
    Whole,
    Text,
    TextList,
}

/// <summary>One setting that Open WebUI's administrator can change while the server runs.</summary>
internal sealed record Valve(string Name, ValveKind Kind, string Default, string Description)
{
    private const int LongestText = 200;
    private const int MostTexts = 200;

    /// <summary>The values that a text may have; null for any.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    public JsonNode DefaultValue => JsonNode.Parse(Default)!;

    /// <summary>The valve as a property of a JSON schema, as Pydantic writes it.</summary>
    public JsonObject Describe()
    {
        var property = new JsonObject
        {
            ["title"] = Name.Replace('_', ' '),
            ["description"] = Description,
            ["default"] = DefaultValue,
            ["type"] = Kind switch { ValveKind.Flag => "boolean", ValveKind.Whole => "integer", ValveKind.Text => "string", _ => "array" },
        };
        if (Kind == ValveKind.TextList)
        {
            property["items"] = new JsonObject { ["type"] = "string" };
        }

        if (Choices is not null)
        {
            property["enum"] = new JsonArray([.. Choices.Select(c => (JsonNode)c)]);
        }

        return property;
    }

    /// <summary>The value that an update gives, or the default.</summary>
    /// <exception cref="ApiException">It is of another kind.</exception>
    public JsonNode Read(JsonElement update)
    {
        if (!update.TryGetProperty(Name, out var given))
        {
            return DefaultValue;
        }

        var fits = Kind switch
        {
            ValveKind.Flag => given.ValueKind is JsonValueKind.True or JsonValueKind.False,
            ValveKind.Whole => given.ValueKind == JsonValueKind.Number && given.TryGetInt32(out _),
            ValveKind.Text => IsText(given) && (Choices is null || Choices.Contains(given.GetString())),
            _ => given.ValueKind == JsonValueKind.Array && given.GetArrayLength() <= MostTexts && given.EnumerateArray().All(IsText),
        };
        return fits ? JsonNode.Parse(given.GetRawText())! : throw new ApiException(422, "invalid_valve", $"{Name} must be {Wanted()}", Name);
    }

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String && value.GetString()!.Length <= LongestText;

    private string Wanted() => Kind switch
    {
        ValveKind.Flag => "true or false",
        ValveKind.Whole => "a whole number",
        ValveKind.Text when Choices is not null => $"one of {string.Join(", ", Choices)}",
        ValveKind.Text => "a short text",
        _ => "a list of short texts",
    };
}
