using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>
/// Finds llama.cpp's files beside the program, in native/&lt;rid&gt;/. The packages put the release into some names
/// (libllama.v0.5.0.so), so names are matched, not composed.
/// </summary>
internal sealed class LibraryFolder
{
    private readonly string extension;

    private LibraryFolder(string path, string rid)
    {
        Path = path;
        Rid = rid;
        extension = rid.StartsWith("win", StringComparison.Ordinal) ? ".dll" : rid.StartsWith("osx", StringComparison.Ordinal) ? ".dylib" : ".so";
    }

    public string Path { get; }

    public string Rid { get; }

    /// <summary>This process's platform as .NET names it.</summary>
    public static string CurrentRid
    {
        get
        {
            var system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
            return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        }
    }

    /// <exception cref="LlamaException">The folder does not exist.</exception>
    public static LibraryFolder Open(string programFolder, string rid)
    {
        var path = System.IO.Path.Combine(programFolder, "native", rid);
        return Directory.Exists(path) ? new LibraryFolder(path, rid) : throw Missing(rid, path);
    }

    /// <summary>The file of a library by its plain name: llama, ggml or ggml-base.</summary>
    /// <exception cref="LlamaException">No file has that name.</exception>
    public string Find(string name)
    {
        foreach (var file in Directory.EnumerateFiles(Path).Order(StringComparer.Ordinal))
        {
            var stem = System.IO.Path.GetFileName(file);
            if (!stem.EndsWith(extension, StringComparison.Ordinal))
            {
                continue;
            }

            stem = stem[..^extension.Length];
            stem = stem.StartsWith("lib", StringComparison.Ordinal) ? stem[3..] : stem;
            if (stem == name || stem.StartsWith(name + ".v", StringComparison.Ordinal))
            {
                return file;
            }
        }

        throw Missing(Rid, System.IO.Path.Combine(Path, name + extension));
    }

    private static LlamaException Missing(string rid, string path) => new(
        LlamaError.LibraryMissing,
        $"llama.cpp's library for {rid} is missing ({path}): run ./psylite once, or npm ci --ignore-scripts and build again.");
}
