using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PsyLite.Training.Data.Import;

/// <summary>Fields of rows that strangers wrote: what is missing or of another kind is empty, never a fault.</summary>
internal static class JsonFields
{
    public static string Text(this JsonElement row, string name) =>
        row.ValueKind == JsonValueKind.Object && row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? Clean(value.GetString()!) : "";

    /// <summary>The first of the names that has text.</summary>
    public static string Text(this JsonElement row, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (row.Text(name) is { Length: > 0 } text)
            {
                return text;
            }
        }

        return "";
    }

    public static IEnumerable<JsonElement> Items(this JsonElement row, string name) =>
        row.ValueKind == JsonValueKind.Object && row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    public static bool IsList(this JsonElement row, string name) =>
        row.ValueKind == JsonValueKind.Object && row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array;

    /// <summary>A number, or text that is one, as CSV has it.</summary>
    public static double? Number(this JsonElement row, string name) =>
        row.ValueKind != JsonValueKind.Object || !row.TryGetProperty(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number
        : value.ValueKind == JsonValueKind.String && double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var read) && double.IsFinite(read) ? read
        : null;

    public static string? Given(this JsonElement row, string name) => row.Text(name) is { Length: > 0 } text ? text : null;

    /// <summary>Line feeds alone, no control characters, no halves of a character; trimmed.</summary>
    public static string Clean(string text)
    {
        var isClean = !text.AsSpan().ContainsAnyInRange('\0', '\u0008') && text.AsSpan().IndexOfAny("\r\u000b\u000c\u007f\ufeff\ufffe\uffff") < 0
            && !text.AsSpan().ContainsAnyInRange('\u000e', '\u001f') && !text.AsSpan().ContainsAnyInRange('\ud800', '\udfff');
        if (isClean)
        {
            return text.Trim();
        }

        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                result.Append(c).Append(text[++i]);
            }
            else if (c == '\r')
            {
                result.Append(i + 1 < text.Length && text[i + 1] == '\n' ? "" : "\n");
            }
            else if (!char.IsSurrogate(c) && (c is '\n' or '\t' || !char.IsControl(c)) && c is not ('\ufeff' or '\ufffe' or '\uffff'))
            {
                result.Append(c);
            }
        }

        return result.ToString().Trim();
    }
}
