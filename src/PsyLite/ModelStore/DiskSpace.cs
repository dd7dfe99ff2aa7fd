namespace PsyLite.ModelStore;

/// <summary>Asks for room before long work begins, not when it fails.</summary>
internal static class DiskSpace
{
    /// <summary>Left free for the rest of the machine.</summary>
    private const long Reserve = 64L << 20;

    /// <exception cref="IOException">The disk has less room than that; the message says how much.</exception>
    /// <param name="freeBytes">Asks a disk; null for the real one.</param>
    public static void Require(string folder, long bytes, Func<string, long>? freeBytes = null)
    {
        var free = freeBytes?.Invoke(folder) ?? new DriveInfo(folder).AvailableFreeSpace;
        if (free < bytes + Reserve)
        {
            throw new IOException($"{folder} has {free / 1e9:F1} GB free, but {bytes / 1e9:F1} GB are needed: make room, or choose another folder.");
        }
    }
}
