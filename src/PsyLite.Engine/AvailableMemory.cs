using System.Globalization;

namespace PsyLite.Engine;

/// <summary>How much memory this process may still take without swapping or being killed.</summary>
internal static class AvailableMemory
{
    private const string ControlGroup = "/sys/fs/cgroup";

    /// <summary>Bytes, or null where the system does not say.</summary>
    public static long? Bytes()
    {
        if (OperatingSystem.IsLinux())
        {
            var system = ReadLines("/proc/meminfo").Select(line => Field(line, "MemAvailable:") * 1024).FirstOrDefault(bytes => bytes is not null);
            return Least(system, OfControlGroup());
        }

        var garbageCollector = GC.GetGCMemoryInfo();
        return garbageCollector.TotalAvailableMemoryBytes > 0 ? garbageCollector.TotalAvailableMemoryBytes - garbageCollector.MemoryLoadBytes : null;
    }

    /// <summary>What a container's limit leaves; file pages that the kernel may drop do not count as taken.</summary>
    private static long? OfControlGroup()
    {
        var limit = Number(ReadLines($"{ControlGroup}/memory.max").FirstOrDefault());
        var taken = Number(ReadLines($"{ControlGroup}/memory.current").FirstOrDefault());
        var droppable = ReadLines($"{ControlGroup}/memory.stat").Select(line => Field(line, "inactive_file")).FirstOrDefault(bytes => bytes is not null) ?? 0;
        return limit - taken + droppable;
    }

    private static long? Least(long? a, long? b) => a is null ? b : b is null ? a : Math.Min(a.Value, b.Value);

    private static long? Field(string line, string name) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var first, var value, ..] && first == name ? Number(value) : null;

    private static long? Number(string? text) => long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
