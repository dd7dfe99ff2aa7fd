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
    private const string C = "libc";

    /// <summary>Whether this system tells what is mapped where.</summary>
    public static bool CanDrop => OperatingSystem.IsLinux();

    /// <summary>Gives back the pages of every mapping of a file in this process.</summary>
    public static void Drop(string path)
    {
        if (!CanDrop)
        {
            return;
        }

        // A line is "from-to rights offset device inode path", the path with all links followed.
        var real = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? System.IO.Path.GetFullPath(path);
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            if (line.EndsWith(real, StringComparison.Ordinal) && line.Split(' ', '-') is [var from, var to, ..]
                && ulong.TryParse(from, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var start)
                && ulong.TryParse(to, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var end))
            {
                _ = Advise((nint)start, (nuint)(end - start), DontNeed);
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
