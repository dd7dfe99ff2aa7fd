using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Import;

/// <summary>
/// Cuts a JSON array into its elements without holding more than one of them: follows strings and brackets only, each element is parsed by
/// itself. <paramref name="line"/> is where the opening bracket was, which has been read already.
/// </summary>
internal sealed class ArrayElements(Stream stream, long line)
{
    private readonly byte[] _chunk = new byte[1 << 16];
    private readonly MemoryStream _element = new();
    private int _at;
    private int _end;
    private long _line = line;
    private bool _isOver;

    /// <returns>The next element, or null at the end.</returns>
    public SourceRow? Next()
    {
        if (_isOver)
        {
            return null;
        }

        _element.SetLength(0);
        var (start, depth, inText, isEscaped, isLong) = (0L, 0, false, false, false);
        while (Byte() is >= 0 and var value)
        {
            if (!inText && depth <= 0 && value == ']')
            {
                _isOver = true;
                return start == 0 ? null : Row(start, isLong);
            }

            if (!inText && depth <= 0 && value == ',')
            {
                return start == 0 ? SourceRow.Broken(_line, "a comma without an element before it") : Row(start, isLong);
            }

            _line += value == '\n' ? 1 : 0;
            if (start == 0 && (value is ' ' or '\t' or '\r' or '\n'))
            {
                continue;
            }

            start = start == 0 ? _line : start;
            (inText, isEscaped, depth) = Follow(value, inText, isEscaped, depth);
            isLong |= _element.Length >= ByteLines.LongestLine;
            if (!isLong)
            {
                _element.WriteByte((byte)value);
            }
        }

        _isOver = true;
        return SourceRow.Broken(start == 0 ? _line : start, "the array is not closed: the file ends in the middle");
    }

    private static (bool InText, bool IsEscaped, int Depth) Follow(int value, bool inText, bool isEscaped, int depth) => value switch
    {
        _ when inText && isEscaped => (true, false, depth),
        '\\' when inText => (true, true, depth),
        '"' => (!inText, false, depth),
        '{' or '[' when !inText => (false, false, depth + 1),
        '}' or ']' when !inText => (false, false, depth - 1),
        _ => (inText, false, depth),
    };

    private SourceRow Row(long start, bool isLong) => isLong
        ? SourceRow.Broken(start, $"the element is longer than {ByteLines.LongestLine >> 20} MB")
        : SourceRow.Parse(start, _element.GetBuffer().AsSpan(0, (int)_element.Length));

    private int Byte()
    {
        if (_at == _end)
        {
            (_at, _end) = (0, stream.Read(_chunk, 0, _chunk.Length));
            if (_end == 0)
            {
                return -1;
            }
        }

        return _chunk[_at++];
    }
}
