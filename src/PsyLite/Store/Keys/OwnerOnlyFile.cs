using System.Text;

namespace PsyLite.Store.Keys;

/// <summary>Files that nobody but the account of this program may read. On Windows the rights are those of the per-user folder.</summary>
internal static class OwnerOnlyFile
{
    private const UnixFileMode Rights = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a new file and waits until the disk has it.</summary>
    public static void Write(string path, string text)
    {
        using var file = Create(path, FileMode.Create);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    /// <summary>Makes sure that the file is there, so that whoever opens it next finds its rights set.</summary>
    public static void Touch(string path) => Create(path, FileMode.OpenOrCreate).Dispose();

    public static void CreateFolder(string path)
    {
        if (!Directory.Exists(path))
        {
            _ = OperatingSystem.IsWindows() ? Directory.CreateDirectory(path) : Directory.CreateDirectory(path, Rights | UnixFileMode.UserExecute);
        }
    }

    private static FileStream Create(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Rights;
        }

        return new FileStream(path, options);
    }
}
