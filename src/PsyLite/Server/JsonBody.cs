using System.Text.Json;
using System.Text.Unicode;

namespace PsyLite.Server;

/// <summary>
/// Bodies and fields of JSON requests. Whatever a caller sends either is what it should be or becomes an <see cref="ApiException"/> of one
/// line; unknown keys are ignored.
/// </summary>
internal static class JsonBody
{
    /// <summary>Largest request body in bytes: room for a conversation with a few pictures in it.</summary>
    public const int MaxBytes = 4 << 20;

    /// <summary>Deepest nesting; Open WebUI's metadata stays below twenty.</summary>
    private const int MaxDepth = 64;

    /// <summary>The body as a JSON object.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public static async Task<JsonElement> ReadObjectAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        return Parse(body.GetBuffer().AsMemory(0, (int)body.Length));
    }

    public static JsonElement Parse(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
        {
            throw ApiException.Invalid("missing request body");
        }

        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            var root = document.RootElement.Clone();
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw ApiException.Invalid("the body must be a JSON object");
            }

            if (!Utf8.IsValid(body.Span) || (body.Span.IndexOf("\\u"u8) >= 0 && !IsText(root)))
            {
                throw ApiException.Invalid("the body holds text that is not valid Unicode");
            }

            return root;
        }
        catch (JsonException)
        {
            throw ApiException.Invalid("the body is not valid JSON");
        }
        catch (InvalidOperationException)
        {
            // The parser's word for a key with half of a surrogate pair.
            throw ApiException.Invalid("the body holds text that is not valid Unicode");
        }
    }

    public static string? Text(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static JsonElement? Object(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;

    public static bool? Flag(JsonElement body, string name) => !body.TryGetProperty(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null => null,
        _ => throw ApiException.Invalid($"{name} must be true or false", name),
    };

    public static float? Number(JsonElement body, string name, double least, double most)
    {
        if (!body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most
            ? (float)number
            : throw ApiException.Invalid($"{name} must be a number between {least} and {most}", name);
    }

    public static long? Whole(JsonElement body, string name, long least, long most = long.MaxValue)
    {
        if (!body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most
            ? number
            : throw ApiException.Invalid(most == long.MaxValue ? $"{name} must be a whole number of at least {least}" : $"{name} must be a whole number from {least} to {most}", name);
    }

    /// <summary>Stop sequences: a text, or a list of texts.</summary>
    public static IList<string>? Stops(JsonElement body) => !body.TryGetProperty("stop", out var stop) ? null : stop.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => [stop.GetString()!],
        JsonValueKind.Array when stop.GetArrayLength() <= 16 && stop.EnumerateArray().All(s => s.ValueKind == JsonValueKind.String) => [.. stop.EnumerateArray().Select(s => s.GetString()!)],
        _ => throw ApiException.Invalid("stop must be a text or a list of at most 16 texts", "stop"),
    };

    /// <summary>False when some text holds half of a surrogate pair, which JSON can write and .NET cannot read.</summary>
    private static bool IsText(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                try
                {
                    _ = value.GetString();
                    return true;
                }
                catch (InvalidOperationException)
                {
                    return false;
                }

            case JsonValueKind.Array:
                return value.EnumerateArray().All(IsText);
            case JsonValueKind.Object:
                return value.EnumerateObject().All(p => p.Name.Length >= 0 && IsText(p.Value));
            default:
                return true;
        }
    }
}
