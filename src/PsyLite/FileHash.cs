using System.Security.Cryptography;

namespace PsyLite;

/// <summary>The SHA-256 of a file, computed beside everything else: gigabytes take seconds, and no turn waits for them.</summary>
internal static class FileHash
{
    private const int BufferBytes = 1 << 20;

    /// <returns>Tells the hash in hexadecimal, or null as long as it is not known, which is for good when the file cannot be read.</returns>
    public static Func<string?> Start(string path)
    {
        string? known = null;
        var reading = new Thread(() =>
        {
            try
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.SequentialScan);
                Volatile.Write(ref known, Convert.ToHexStringLower(SHA256.HashData(file)));
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // The audit then names no model.
            }
        })
        {
            IsBackground = true,
            Priority = ThreadPriority.BelowNormal,
            Name = "model hash",
        };
        reading.Start();
        return () => Volatile.Read(ref known);
    }
}
