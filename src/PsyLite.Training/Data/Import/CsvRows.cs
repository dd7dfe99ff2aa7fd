using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Import;

/// <summary>
/// CSV as in RFC 4180 (quotes doubled inside quotes, line breaks inside quotes), with a header row; each row becomes a JSON object of its cells.
/// A row with too few or too many cells is a fault, not a guess.
/// </summary>
internal static class CsvRows
{
    private const int MostColumns = 256;

    public static IEnumerable<SourceRow> Read(Stream content, char comma)
    {
        using var reader = new StreamReader(content, new UTF8Encoding(false, throwOnInvalidBytes: false), detectEncodingFromByteOrderMarks: true, 1 << 16, leaveOpen: true);
        var cells = new Cells(reader, comma);
        if (cells.Next() is not { } header)
        {
            yield break;
        }

        if (header.Fault is not null || header.Values.Count > MostColumns || header.Values.Distinct(StringComparer.Ordinal).Count() != header.Values.Count)
        {
            yield return SourceRow.Broken(1, header.Fault ?? "the header repeats a name or has too many columns");
            yield break;
        }

        var names = header.Values.Select(n => n.Trim()).ToList();
        while (cells.Next() is { } row)
        {
            if (row is { Fault: null, Values: [""] })
            {
                continue;
            }

            if (row.Fault is not null || row.Values.Count != names.Count)
            {
                yield return SourceRow.Broken(row.Line, row.Fault ?? $"the row has {row.Values.Count} cells, the header {names.Count}");
                continue;
            }

            if (row.Values.Any(v => v.Contains('\ufffd')))
            {
                yield return SourceRow.Broken(row.Line, "the text is not valid UTF-8; save the table as UTF-8");
                continue;
            }

            var value = new JsonObject();
            for (var i = 0; i < names.Count; i++)
            {
                value[names[i]] = row.Values[i];
            }

            yield return new SourceRow(row.Line, JsonSerializer.SerializeToElement(value), null);
        }
    }

    private sealed record Row(long Line, List<string> Values, string? Fault);

    private sealed class Cells(TextReader reader, char comma)
    {
        private long _line = 1;

        public Row? Next()
        {
            if (reader.Peek() < 0)
            {
                return null;
            }

            var (start, values, cell, inQuotes, wasQuoted) = (_line, new List<string>(), new StringBuilder(), false, false);
            while (true)
            {
                var next = reader.Read();
                _line += next == '\n' ? 1 : 0;
                if (next < 0 && inQuotes)
                {
                    return new Row(start, values, "a quotation mark is not closed");
                }

                if (inQuotes)
                {
                    if (next == '"' && reader.Peek() == '"')
                    {
                        cell.Append((char)reader.Read());
                    }
                    else if (next == '"')
                    {
                        inQuotes = false;
                    }
                    else
                    {
                        cell.Append((char)next);
                    }
                }
                else if (next is < 0 or '\n')
                {
                    values.Add(wasQuoted ? cell.ToString() : cell.ToString().TrimEnd('\r'));
                    return new Row(start, values, cell.Length > ByteLines.LongestLine ? "a cell is too long" : null);
                }
                else if (next == comma)
                {
                    values.Add(cell.ToString());
                    cell.Clear();
                    wasQuoted = false;
                }
                else if (next == '"' && cell.Length == 0 && !wasQuoted)
                {
                    (inQuotes, wasQuoted) = (true, true);
                }
                else if (!(wasQuoted && next == '\r'))
                {
                    cell.Append((char)next);
                }

                if (cell.Length > ByteLines.LongestLine || values.Count > MostColumns)
                {
                    SkipLine();
                    return new Row(start, values, "the row is too long, or a quotation mark before it is not closed");
                }
            }
        }

        private void SkipLine()
        {
            int next;
            do
            {
                next = reader.Read();
            }
            while (next is not (< 0 or '\n'));
            _line++;
        }
    }
}
