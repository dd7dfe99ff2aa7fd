using System.Text;

namespace PsyLite.Evaluation.CEval;

/// <summary>Comma-separated values (RFC 4180): fields may be quoted, and quoted ones may hold commas, quotes and line breaks.</summary>
internal static class CsvTable
{
    /// <summary>Rows by the names of the first row's columns.</summary>
    /// <exception cref="FormatException">A quote is not closed, or a row has more fields than the first.</exception>
    public static List<Dictionary<string, string>> Read(string text, string source)
    {
        var rows = Rows(text, source).ToList();
        if (rows.Count == 0)
        {
            return [];
        }

        var head = rows[0];
        if (head.Distinct().Count() != head.Count)
        {
            throw new FormatException($"{source}: two columns have the same name.");
        }

        return [.. rows.Skip(1).Select((row, i) => row.Count <= head.Count
            ? head.Select((name, c) => (name, Value: c < row.Count ? row[c] : "")).ToDictionary(p => p.name, p => p.Value)
            : throw new FormatException($"{source}: row {i + 2} has {row.Count} fields, the first row {head.Count}."))];
    }

    private static IEnumerable<List<string>> Rows(string text, string source)
    {
        var row = new List<string>();
        var field = new StringBuilder();
        var at = 0;
        while (at < text.Length)
        {
            if (text[at] == '"' && field.Length == 0)
            {
                at = Quoted(text, at + 1, field, source);
            }

            while (at < text.Length && text[at] is not (',' or '\n' or '\r'))
            {
                field.Append(text[at++]);
            }

            row.Add(field.ToString());
            field.Clear();
            if (at < text.Length && text[at] == ',')
            {
                at++;
                if (at < text.Length)
                {
                    continue;
                }

                row.Add("");
            }

            at += at + 1 < text.Length && text[at] == '\r' && text[at + 1] == '\n' ? 2 : 1;
            if (row is not [""])
            {
                yield return row;
            }

            row = [];
        }
    }

    /// <summary>Reads up to the closing quote; returns the place behind it.</summary>
    private static int Quoted(string text, int at, StringBuilder field, string source)
    {
        while (true)
        {
            var end = text.IndexOf('"', at);
            if (end < 0)
            {
                throw new FormatException($"{source}: a quote is never closed.");
            }

            field.Append(text, at, end - at);
            if (end + 1 >= text.Length || text[end + 1] != '"')
            {
                return end + 1;
            }

            field.Append('"');
            at = end + 2;
        }
    }
}
