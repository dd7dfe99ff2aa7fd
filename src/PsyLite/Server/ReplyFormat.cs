using System.Text.Json;
using System.Text.Json.Nodes;

namespace PsyLite.Server;

/// <summary>
/// The JSON that a caller wants the reply in. The turn speaks in words, and what it says in danger must arrive whatever shape was asked for:
/// so the reply is set into the smallest instance of the caller's schema, at its first place for a text. A schema without such a place is
/// refused before the turn.
/// </summary>
internal sealed class ReplyFormat
{
    /// <summary>Deepest nesting of an instance.</summary>
    private const int MaxDepth = 12;

    private const int MaxItems = 100;

    /// <summary>A place for at least this many characters can hold every preset.</summary>
    private const int RoomForReply = 4_000;

    /// <summary>Keywords that a made-up value could break.</summary>
    private static readonly string[] Unknown = ["pattern", "format", "not", "if", "allOf", "dependentRequired", "dependentSchemas", "patternProperties", "propertyNames", "contains", "multipleOf", "uniqueItems", "minProperties"];
    private readonly JsonElement? _schema;

    private ReplyFormat(JsonElement? schema) => _schema = schema;

    /// <summary>Ollama's <c>format</c>: "json" or a schema.</summary>
    public static ReplyFormat? OfOllama(JsonElement body) => !body.TryGetProperty("format", out var format) ? null : format.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String when format.GetString() is { } name => name switch { "" => null, "json" => new ReplyFormat(null), _ => throw Refusal("it must be \"json\" or a JSON schema") },
        JsonValueKind.Object => Of(format),
        _ => throw Refusal("it must be \"json\" or a JSON schema"),
    };

    /// <summary>OpenAI's <c>response_format</c>: text, json_object or json_schema.</summary>
    public static ReplyFormat? OfOpenAi(JsonElement body)
    {
        if (JsonBody.Object(body, "response_format") is not { } format)
        {
            return null;
        }

        return JsonBody.Text(format, "type") switch
        {
            "text" => null,
            "json_object" => new ReplyFormat(null),
            "json_schema" when JsonBody.Object(format, "json_schema") is { } named && JsonBody.Object(named, "schema") is { } schema => Of(schema),
            _ => throw Refusal("its type must be text, json_object, or json_schema with a schema"),
        };
    }

    /// <summary>The reply in the caller's shape.</summary>
    public string Render(string reply)
    {
        if (_schema is not { } schema)
        {
            return new JsonObject { ["reply"] = reply }.ToJsonString(ApiBoundary.Json);
        }

        var place = new Place(reply);
        return (Instance(schema, schema, place, 0)?.ToJsonString(ApiBoundary.Json)) ?? "null";
    }

    private static ReplyFormat Of(JsonElement schema)
    {
        var place = new Place("x");
        _ = Instance(schema, schema, place, 0);
        return place.IsTaken ? new ReplyFormat(schema) : throw Refusal("the schema has no property for a text, which the reply needs");
    }

    private static JsonNode? Instance(JsonElement schema, JsonElement root, Place place, int depth)
    {
        if (depth > MaxDepth)
        {
            throw Refusal("the schema is nested too deeply");
        }

        if (schema.ValueKind == JsonValueKind.True)
        {
            return place.Take();
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            throw Refusal("a part of the schema allows nothing");
        }

        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Instance(Resolve(root, reference), root, place, depth + 1);
        }

        if (Unknown.FirstOrDefault(k => schema.TryGetProperty(k, out _)) is { } keyword)
        {
            throw Refusal($"the schema uses {keyword}, which is not supported");
        }

        if (schema.TryGetProperty("const", out var constant))
        {
            return Copy(constant);
        }

        if (schema.TryGetProperty("enum", out var choices) && choices.ValueKind == JsonValueKind.Array && choices.GetArrayLength() > 0)
        {
            return Copy(choices[0]);
        }

        foreach (var either in new[] { "anyOf", "oneOf" })
        {
            if (schema.TryGetProperty(either, out var options) && options.ValueKind == JsonValueKind.Array && options.GetArrayLength() > 0)
            {
                return Instance(options[0], root, place, depth + 1);
            }
        }

        return TypeOf(schema) switch
        {
            "object" => Object(schema, root, place, depth),
            "array" => Array(schema, root, place, depth),
            "string" => Text(schema, place),
            "integer" or "number" => Number(schema),
            "boolean" => false,
            "null" => null,
            _ => throw Refusal("the schema names an unknown type"),
        };
    }

    /// <summary>Required properties, and the first text if none of them takes the reply.</summary>
    private static JsonObject Object(JsonElement schema, JsonElement root, Place place, int depth)
    {
        var required = schema.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array
            ? names.EnumerateArray().Where(n => n.ValueKind == JsonValueKind.String).Select(n => n.GetString()!).ToHashSet(StringComparer.Ordinal)
            : [];
        var made = new JsonObject();
        var properties = JsonBody.Object(schema, "properties") is { } listed ? listed.EnumerateObject().ToList() : [];

        // A property named for the answer comes first in line for the words, whatever its place.
        foreach (var property in properties.OrderBy(p => p.Name is "reply" or "response" or "answer" or "content" or "message" or "text" or "回复" or "回答" ? 0 : 1).Where(p => required.Contains(p.Name)))
        {
            made[property.Name] = Instance(property.Value, root, place, depth + 1);
        }

        foreach (var property in properties.Where(p => !required.Contains(p.Name)))
        {
            if (!place.IsTaken && HoldsText(property.Value))
            {
                made[property.Name] = Instance(property.Value, root, place, depth + 1);
            }
        }

        if (required.FirstOrDefault(n => !made.ContainsKey(n)) is { } unlisted)
        {
            throw Refusal($"the schema requires {unlisted} and does not describe it");
        }

        return made;
    }

    private static JsonArray Array(JsonElement schema, JsonElement root, Place place, int depth)
    {
        var made = new JsonArray();
        var least = (int)Math.Clamp(Figure(schema, "minItems") ?? 0, 0, MaxItems + 1);
        if (least > MaxItems)
        {
            throw Refusal("the schema asks for too many items");
        }

        var hasItems = schema.TryGetProperty("items", out var items);
        least = least == 0 && hasItems && !place.IsTaken && HoldsText(items) ? 1 : least;
        for (var i = 0; i < least; i++)
        {
            made.Add(hasItems ? Instance(items, root, place, depth + 1) : null);
        }

        return made;
    }

    private static JsonNode Text(JsonElement schema, Place place)
    {
        var most = Figure(schema, "maxLength") ?? double.MaxValue;
        var least = (int)Math.Clamp(Figure(schema, "minLength") ?? 0, 0, RoomForReply);
        return place.IsTaken || most < RoomForReply || least > 1 ? new string('-', least) : place.Take();
    }

    private static JsonNode Number(JsonElement schema)
    {
        var least = Figure(schema, "minimum") ?? (Figure(schema, "exclusiveMinimum") is { } over ? Math.Floor(over) + 1 : 0);
        var most = Figure(schema, "maximum") ?? double.MaxValue;
        return Math.Min(Math.Ceiling(least), most) is var number && number == Math.Floor(number) && Math.Abs(number) < 1e15 ? (long)number : least;
    }

    private static double? Figure(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var figure) && double.IsFinite(figure) ? figure : null;

    private static bool HoldsText(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && !schema.TryGetProperty("enum", out _) && !schema.TryGetProperty("const", out _)
        && (schema.TryGetProperty("$ref", out _) || TypeOf(schema) is "string" or "object" or "array");

    private static string? TypeOf(JsonElement schema) =>
        !schema.TryGetProperty("type", out var type) ? (schema.TryGetProperty("properties", out _) ? "object" : "string")
        : type.ValueKind == JsonValueKind.Array && type.GetArrayLength() > 0 ? type[0].ValueKind == JsonValueKind.String ? type[0].GetString() : null
        : type.ValueKind == JsonValueKind.String ? type.GetString()
        : null;

    private static JsonElement Resolve(JsonElement root, JsonElement reference)
    {
        var path = reference.ValueKind == JsonValueKind.String ? reference.GetString()!.Split('/') : [];
        var at = root;
        foreach (var step in path.Skip(1))
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(step, out at))
            {
                throw Refusal("a $ref of the schema leads nowhere");
            }
        }

        return path is ["#", ..] ? at : throw Refusal("a $ref of the schema leads elsewhere");
    }

    private static JsonNode? Copy(JsonElement value) => JsonNode.Parse(value.GetRawText());

    private static ApiException Refusal(string why) => ApiException.Invalid($"the format cannot be kept: {why}", "format");

    /// <summary>The one place in an instance where the reply goes.</summary>
    private sealed class Place(string reply)
    {
        public bool IsTaken { get; private set; }

        public JsonNode Take()
        {
            var text = IsTaken ? "" : reply;
            IsTaken = true;
            return JsonValue.Create(text);
        }
    }
}
