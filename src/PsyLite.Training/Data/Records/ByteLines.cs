namespace PsyLite.Training.Data.Records;

/// <summary>One line of a file as bytes without its end, and where it starts; null bytes stand for a line that was too long and passed over.</summary>
public readonly record struct ByteLine(long Number, long Start, ReadOnlyMemory<byte>? Bytes);

/// <summary>Lines of a stream of any length in bounded memory.</summary>
public static class ByteLines
{
    /// <summary>No honest row comes near this; a longer one is passed over.</summary>
    public const int LongestLine = 16 << 20;
    private const int Chunk = 1 << 16;

    /// <summary>The memory of a line is overwritten by the next.</summary>
    public static IEnumerable<ByteLine> Read(Stream stream, int longest = LongestLine)
    {
        var buffer = new byte[Chunk];
        var (start, end, number, isSkipping) = (0, 0, 1L, false);

        // Offset of the line, and of the first byte of the buffer, in the stream.
        var (lineStart, bufferStart) = (0L, 0L);
        while (true)
        {
            var feed = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                yield return new ByteLine(number, lineStart, isSkipping ? (ReadOnlyMemory<byte>?)null : Line(buffer, start, start + feed));
                (start, isSkipping, number) = (start + feed + 1, false, number + 1);
                lineStart = bufferStart + start;
                continue;
            }

            if (isSkipping || end - start > longest)
            {
                (isSkipping, bufferStart, start, end) = (true, bufferStart + end, 0, 0);
            }
            else if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (bufferStart, start, end) = (bufferStart + start, 0, end - start);
            }

            if (end == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            var read = stream.Read(buffer, end, buffer.Length - end);
            if (read == 0)
            {
                if (isSkipping || end > start)
                {
                    yield return new ByteLine(number, lineStart, isSkipping ? (ReadOnlyMemory<byte>?)null : Line(buffer, start, end));
                }

                yield break;
            }

            end += read;
        }
    }

    private static ReadOnlyMemory<byte> Line(byte[] buffer, int start, int end)
    {
        var hasMark = buffer.AsSpan(start, end - start).StartsWith("\ufeff"u8);
        var hasReturn = end > start && buffer[end - 1] == '\r';
        start += hasMark ? 3 : 0;
        return buffer.AsMemory(start, end - start - (hasReturn && end > start ? 1 : 0));
    }
}
