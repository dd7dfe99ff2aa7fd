using System.Runtime.InteropServices;
using System.Text;

namespace PsyLite.Engine.Native;

/// <summary>
/// The resident pages of a mapped model file. llama.cpp reads a mapping in whole and then copies most weights out of it; given
/// back at once, the pages never lie in memory beside the copies. Pages still in use are read again from the file, unharmed.
/// </summary>
internal static partial class FilePages
{
    private const int DontNeed = 4;
    private const int NoHugePage = 15;
    private const int PageOut = 21;
    private const int PopulateRead = 22;
    private const string C = "libc";

    private static readonly bool CanTrim = CanDrop && NativeLibrary.TryLoad("libc.so.6", out var c) && NativeLibrary.TryGetExport(c, "malloc_trim", out _);

    /// <summary>Whether this system tells what is mapped where.</summary>
    public static bool CanDrop => OperatingSystem.IsLinux();

    /// <summary>Gives back the pages of every mapping of a file in this process.</summary>
    public static void Drop(string path) => Drop(path, [(0, long.MaxValue)]);

    /// <summary>Gives back the pages that lie wholly within these ranges of the file.</summary>
    public static void Drop(string path, IReadOnlyList<(long Offset, long Bytes)> ranges) => Advise(path, ranges, DontNeed, inwards: true);

    /// <summary>Maps a file by small pages from now on: a huge page goes as a whole when a part of it is given back, and comes as a whole.</summary>
    public static void MapSmall(string path) => Advise(path, [(0, long.MaxValue)], NoHugePage, inwards: true);

    /// <summary>Maps the pages of these ranges of the file; Linux before 5.14 does nothing.</summary>
    public static void Fetch(string path, IReadOnlyList<(long Offset, long Bytes)> ranges) => Advise(path, ranges, PopulateRead, inwards: false);

    private static void Advise(string path, IReadOnlyList<(long Offset, long Bytes)> ranges, int advice, bool inwards)
    {
        if (!CanDrop)
        {
            return;
        }

        var real = Encoding.UTF8.GetBytes(new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? System.IO.Path.GetFullPath(path));
        ProcLines.Read("/proc/self/maps", line =>
        {
            if (ProcMapping.TryParse(line, out var mapping) && mapping.Path.SequenceEqual(real))
            {
                Advise(mapping, ranges, advice, inwards);
            }
        });
    }

    private static void Advise(in ProcMapping mapping, IReadOnlyList<(long Offset, long Bytes)> ranges, int advice, bool inwards)
    {
        var page = Environment.SystemPageSize;
        foreach (var (offset, bytes) in ranges)
        {
            var from = Math.Max(offset - mapping.Offset, 0);
            var to = Math.Min(bytes > long.MaxValue - offset ? mapping.Bytes : offset + bytes - mapping.Offset, mapping.Bytes);
            from = (inwards ? from + page - 1 : from) / page * page;
            to = (inwards && to < mapping.Bytes ? to : to + page - 1) / page * page;
            if (to > from)
            {
                _ = Advise((nint)(mapping.Start + from), (nuint)(to - from), advice);
            }
        }
    }

    /// <summary>
    /// Gives back the pages of programs and libraries that starting has touched; those still in use come back at the next touch. Whatever
    /// lies there now, nothing can be lost: MADV_PAGEOUT drops a page only when its bytes are in its file, and writes any other to swap
    /// or leaves it. So a page that a loader relocates meanwhile is safe, and so is memory that has taken the place of an unloaded library.
    /// </summary>
    /// <remarks>Linux before 5.4 gives back nothing; later ones leave pages of files that this user could not write, and pages that another process uses too.</remarks>
    public static void DropCode()
    {
        if (!CanDrop)
        {
            return;
        }

        ProcLines.Read("/proc/self/maps", line =>
        {
            if (ProcMapping.TryParse(line, out var mapping) && IsCode(mapping))
            {
                _ = Advise((nint)mapping.Start, (nuint)mapping.Bytes, PageOut);
            }
        });
    }

    /// <summary>An unwritable mapping of a library; a writable one is mostly data, which would only wander through swap.</summary>
    internal static bool IsCode(in ProcMapping mapping)
    {
        var name = mapping.Path[(mapping.Path.LastIndexOf((byte)'/') + 1)..];
        return mapping.Rights[1] != (byte)'w' && (name.EndsWith(".dll"u8) || name.EndsWith(".so"u8) || name.IndexOf(".so."u8) > 0);
    }

    /// <summary>Gives back what the C heap holds free, such as the header that llama.cpp has read; glibc alone can.</summary>
    public static void TrimHeap()
    {
        if (CanTrim)
        {
            _ = Trim(0);
        }
    }

    [LibraryImport(C, EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint keep);

    [LibraryImport(C, EntryPoint = "madvise")]
    private static partial int Advise(nint start, nuint length, int advice);
}
