namespace PsyLite.Models;

/// <summary>Files that are either complete or not there: written beside their place, checked, then renamed.</summary>
internal static class CompleteFile
{
    private const int BufferBytes = 1 << 20;

    /// <param name="path">Where; an old file of this name stays until the new one is complete.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="verify">Given the temporary file's path; throws when it does not read back as it should.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    internal static void Write(string path, Action<FileStream> write, Action<string> verify)
    {
        var temporary = path + ".partial";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, BufferBytes))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            verify(temporary);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
