using System.Text.Json;

namespace PsyLite.Models;

/// <summary>Small JSON files from elsewhere: bounded, without duplicate keys, and every surprise in them is one kind of exception.</summary>
internal static class JsonFile
{
    private const int MaxDepth = 32;

    /// <param name="path">The file.</param>
    /// <param name="maxBytes">Larger files are refused before they are read.</param>
    /// <param name="what">What it should be, for the message: "the configuration of a model".</param>
    /// <param name="read">Takes what it needs from the root; any exception that <see cref="JsonElement"/> throws is a damaged file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is too large, not JSON, or without what is asked for.</exception>
    internal static T Read<T>(string path, int maxBytes, string what, Func<JsonElement, T> read)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            throw new FileNotFoundException($"{path}: there is no such file, which should be {what}.", path);
        }

        if (file.Length > maxBytes)
        {
            throw new InvalidDataException($"{path}: {file.Length} bytes are too many for {what}.");
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = MaxDepth });
            return read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"{path}: not {what}, or a damaged one ({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}).", e);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>The value under a name, unless it is absent or null.</summary>
    internal static JsonElement? Optional(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The text under a name; null when it is absent or no text.</summary>
    internal static string? Text(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Whether the value under a name is true.</summary>
    internal static bool IsTrue(this JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
