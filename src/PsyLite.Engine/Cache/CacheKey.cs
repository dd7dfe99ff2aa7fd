using System.Security.Cryptography;

namespace PsyLite.Engine;

/// <summary>The key of an installation's cache, made on first use.</summary>
internal static class CacheKey
{
    public const int Length = 32;
    private const string FileName = "cache.key";

    /// <summary>The folder's key; a damaged one is replaced, and what was written with it is lost.</summary>
    public static byte[] Of(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (File.Exists(path) && File.ReadAllBytes(path) is { Length: Length } known)
        {
            return known;
        }

        var key = RandomNumberGenerator.GetBytes(Length);
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(key);
        file.Flush(flushToDisk: true);
        return key;
    }
}
