using System.Buffers.Text;

namespace PsyLite.Engine.Native;

/// <summary>One mapping of this process: where it lies, what may be done with it, and the file behind it (Linux, proc_pid_maps(5)).</summary>
internal readonly ref struct ProcMapping
{
    private const byte Space = (byte)' ';

    public long Start { get; private init; }

    public long Bytes { get; private init; }

    /// <summary>Bytes into the file.</summary>
    public long Offset { get; private init; }

    /// <summary>Four letters, such as "r-xp".</summary>
    public ReadOnlySpan<byte> Rights { get; private init; }

    /// <summary>The file with all links followed; empty for memory without one.</summary>
    public ReadOnlySpan<byte> Path { get; private init; }

    /// <summary>A line "from-to rights offset device inode path"; false for any other.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out ProcMapping mapping)
    {
        mapping = default;
        if (!Utf8Parser.TryParse(line, out long from, out var read, 'x') || read >= line.Length || line[read] != (byte)'-')
        {
            return false;
        }

        line = line[(read + 1)..];
        if (!Utf8Parser.TryParse(line, out long to, out read, 'x') || read + 6 > line.Length || line[read] != Space)
        {
            return false;
        }

        var rights = line.Slice(read + 1, 4);
        line = line[(read + 6)..];
        if (!Utf8Parser.TryParse(line, out long offset, out _, 'x'))
        {
            return false;
        }

        var slash = line.IndexOf((byte)'/');
        mapping = new ProcMapping { Start = from, Bytes = to - from, Offset = offset, Rights = rights, Path = slash < 0 ? default : line[slash..] };
        return true;
    }
}

/// <summary>Reads a file of /proc line by line in one small buffer: it is read while replies are made, and garbage would cost the memory that is being saved.</summary>
internal static class ProcLines
{
    private const int LongestLine = 16 * 1024;

    public static void Read(string path, Action<ReadOnlySpan<byte>> line)
    {
        using var file = File.OpenHandle(path);
        var buffer = new byte[LongestLine];
        var (filled, at) = (0, 0L);
        for (int count; filled < buffer.Length && (count = RandomAccess.Read(file, buffer.AsSpan(filled), at)) > 0;)
        {
            (filled, at) = (filled + count, at + count);
            var rest = buffer.AsSpan(0, filled);
            for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
            {
                line(rest[..end]);
            }

            rest.CopyTo(buffer);
            filled = rest.Length;
        }
    }
}
