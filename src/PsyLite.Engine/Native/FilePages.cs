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
    private const int PopulateRead = 22;
    private const string C = "libc";

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
    /// Gives back the pages of programs and libraries that starting has touched; those still in use come back at the next touch. Only mappings
    /// that cannot be written and hold nothing but the file's own bytes (not a dirty page in them) are given back, so nothing can be lost.
    /// </summary>
    public static void DropCode()
    {
        if (!CanDrop)
        {
            return;
        }

        // A line as in maps, then lines "Field:  n kB" about it.
        (long Start, long Bytes) found = default;
        ProcLines.Read("/proc/self/smaps", line =>
        {
            if (ProcMapping.TryParse(line, out var mapping))
            {
                var isFixed = mapping.Rights.SequenceEqual("r-xp"u8) || mapping.Rights.SequenceEqual("r--p"u8) || mapping.Rights.SequenceEqual("r--s"u8);
                found = isFixed && IsCode(mapping.Path) ? (mapping.Start, mapping.Bytes) : default;
            }
            else if (found.Bytes > 0 && line.StartsWith("Private_Dirty:"u8))
            {
                if (line.EndsWith(" 0 kB"u8))
                {
                    _ = Advise((nint)found.Start, (nuint)found.Bytes, DontNeed);
                }

                found = default;
            }
        });
    }

    private static bool IsCode(ReadOnlySpan<byte> path) => path.EndsWith(".dll"u8) || path.IndexOf(".so"u8) > 0;

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
