using System.Globalization;
using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>
/// The resident pages of a mapped model file. llama.cpp reads a mapping in whole and then copies most weights out of it; given
/// back at once, the pages never lie in memory beside the copies. Pages still in use are read again from the file, unharmed.
/// </summary>
internal static partial class FilePages
{
    private const int DontNeed = 4;
    private const int PopulateRead = 22;
    private const string C = "libc";

    /// <summary>Whether this system tells what is mapped where.</summary>
    public static bool CanDrop => OperatingSystem.IsLinux();

    /// <summary>Gives back the pages of every mapping of a file in this process.</summary>
    public static void Drop(string path) => Drop(path, [(0, long.MaxValue)]);

    /// <summary>Gives back the pages that lie wholly within these ranges of the file.</summary>
    public static void Drop(string path, IReadOnlyList<(long Offset, long Bytes)> ranges) => Advise(path, ranges, DontNeed, inwards: true);

    /// <summary>Maps the pages of these ranges of the file, so that using them maps no neighbours later; older kernels do nothing.</summary>
    public static void Fetch(string path, IReadOnlyList<(long Offset, long Bytes)> ranges) => Advise(path, ranges, PopulateRead, inwards: false);

    private static void Advise(string path, IReadOnlyList<(long Offset, long Bytes)> ranges, int advice, bool inwards)
    {
        if (!CanDrop)
        {
            return;
        }

        var page = Environment.SystemPageSize;
        foreach (var (start, length, fileOffset) in Mappings(path))
        {
            foreach (var (offset, bytes) in ranges)
            {
                var from = Math.Max(offset - fileOffset, 0);
                var to = Math.Min(bytes > long.MaxValue - offset ? length : offset + bytes - fileOffset, length);
                from = (inwards ? from + page - 1 : from) / page * page;
                to = (inwards && to < length ? to : to + page - 1) / page * page;
                if (to > from)
                {
                    _ = Advise((nint)(start + from), (nuint)(to - from), advice);
                }
            }
        }
    }

    /// <summary>Where a file is mapped in this process: address, bytes, offset into the file.</summary>
    private static IEnumerable<(long Start, long Length, long Offset)> Mappings(string path)
    {
        // A line is "from-to rights offset device inode path", the path with all links followed.
        static bool Number(string text, out long number) => long.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out number);
        var real = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? System.IO.Path.GetFullPath(path);
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            if (line.EndsWith(real, StringComparison.Ordinal) && line.Split(' ') is [var range, _, var offset, ..]
                && range.Split('-') is [var from, var to] && Number(from, out var start) && Number(to, out var end) && Number(offset, out var at))
            {
                yield return (start, end - start, at);
            }
        }
    }

    /// <summary>Gives back what the C heap holds free, such as the header that llama.cpp has read; glibc alone can.</summary>
    public static void TrimHeap()
    {
        if (CanDrop && NativeLibrary.TryLoad("libc.so.6", out var c) && NativeLibrary.TryGetExport(c, "malloc_trim", out _))
        {
            _ = Trim(0);
        }
    }

    [LibraryImport(C, EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint keep);

    [LibraryImport(C, EntryPoint = "madvise")]
    private static partial int Advise(nint start, nuint length, int advice);
}
