using System.Text.Json;
using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Import;

/// <summary>
/// Rows of a file, whatever holds them: JSON lines, one JSON array, or CSV with a header; packed or not. One broken row costs that row
/// alone, wherever the container can be followed any further.
/// </summary>
internal static class RowReader
{
    /// <summary>A whole array that is a single dialogue (a list of strings) may have so many bytes.</summary>
    private const int MostDialogueBytes = 1 << 22;

    public static bool IsTable(string path)
    {
        var name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        return name.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase);
    }

    public static IEnumerable<SourceRow> Read(string path, Stream content)
    {
        // Nothing is read before the first row is asked for, so that damaged gzip is met where rows are.
        foreach (var row in Open(path, content))
        {
            yield return row;
        }
    }

    private static IEnumerable<SourceRow> Open(string path, Stream content)
    {
        if (IsTable(path))
        {
            return CsvRows.Read(content, path.Contains(".tsv", StringComparison.OrdinalIgnoreCase) ? '\t' : ',');
        }

        var buffered = new BufferedStream(content, 1 << 16);
        var first = SkipSpace(buffered, out var line);
        return first switch
        {
            -1 => [],
            '[' => Array(buffered, line),
            _ => Lines(new PrependedStream((byte)first, buffered), line),
        };
    }

    private static int SkipSpace(Stream stream, out long line)
    {
        line = 1;
        while (true)
        {
            var next = stream.ReadByte();
            line += next == '\n' ? 1 : 0;
            if (next is not (' ' or '\t' or '\r' or '\n' or 0xef or 0xbb or 0xbf))
            {
                return next;
            }
        }
    }

    private static IEnumerable<SourceRow> Lines(Stream stream, long first)
    {
        foreach (var (number, _, bytes) in ByteLines.Read(stream))
        {
            if (bytes is not { } line)
            {
                yield return SourceRow.Broken(number + first - 1, $"the line is longer than {ByteLines.LongestLine >> 20} MB");
            }
            else if (line.Span.IndexOfAnyExcept(" \t\r"u8) >= 0)
            {
                yield return SourceRow.Parse(number + first - 1, line.Span);
            }
        }
    }

    /// <summary>The elements of an array that opened on <paramref name="line"/>; an array of strings is one row, a dialogue.</summary>
    private static IEnumerable<SourceRow> Array(Stream stream, long line)
    {
        var elements = new ArrayElements(stream, line);
        var spoken = new List<string>();
        var first = 0L;
        var bytes = 0L;
        while (elements.Next() is { } row)
        {
            if (row.Fault is null && row.Value.ValueKind == JsonValueKind.String && spoken.Count < DataRecord.MostMessages && bytes < MostDialogueBytes)
            {
                first = first == 0 ? row.Line : first;
                if (Said(row.Value) is { } text)
                {
                    spoken.Add(text);
                    bytes += text.Length;
                    continue;
                }

                row = SourceRow.Broken(row.Line, "the text is not valid UTF-8");
            }

            yield return row;
        }

        if (spoken.Count > 0)
        {
            yield return new SourceRow(first, JsonSerializer.SerializeToElement(spoken), null);
        }
    }

    private static string? Said(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Puts back the byte that was read to look at it.</summary>
    private sealed class PrependedStream(byte first, Stream rest) : ForwardStream
    {
        private bool _isPending = true;

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (!_isPending || count == 0)
            {
                return rest.Read(buffer, offset, count);
            }

            (_isPending, buffer[offset]) = (false, first);
            return 1 + (count > 1 ? rest.Read(buffer, offset + 1, count - 1) : 0);
        }
    }
}
