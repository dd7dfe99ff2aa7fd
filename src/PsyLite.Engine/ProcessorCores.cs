namespace PsyLite.Engine;

/// <summary>Physical cores: two threads of one core share the units that llama.cpp keeps busy, and slow each other down.</summary>
internal static class ProcessorCores
{
    public static int Count { get; } = Math.Clamp(Physical() ?? Environment.ProcessorCount, 1, Environment.ProcessorCount);

    private static int? Physical()
    {
        try
        {
            var siblings = Directory.EnumerateDirectories("/sys/devices/system/cpu", "cpu*")
                .Select(folder => Path.Combine(folder, "topology", "thread_siblings_list"))
                .Where(File.Exists)
                .Select(File.ReadAllText)
                .ToHashSet();
            return siblings.Count > 0 ? siblings.Count : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
