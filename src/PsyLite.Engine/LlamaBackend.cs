using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>What runs the models here, for diagnosis.</summary>
/// <param name="Version">llama.cpp's release.</param>
/// <param name="SystemInfo">The instruction sets and GPU backends it found, in its own words.</param>
/// <param name="Folder">Where its libraries were loaded from.</param>
public sealed record LlamaBackend(string Version, string SystemInfo, string Folder)
{
    /// <summary>Loads llama.cpp if that has not been done, and describes it.</summary>
    /// <exception cref="LlamaException">Its libraries are missing or do not run here.</exception>
    public static LlamaBackend Load()
    {
        var library = LlamaLibrary.Current;
        return new LlamaBackend(library.Version, library.SystemInfo, library.Folder);
    }

    /// <summary>
    /// Calls back for each line that llama.cpp logs, on the thread that logs, until the result is disposed. The callback must be
    /// quick and must not throw. Without a listener nothing is printed anywhere.
    /// </summary>
    /// <exception cref="LlamaException">Its libraries are missing or do not run here.</exception>
    public static IDisposable Listen(Action<LlamaLogLine> listener) => LlamaLibrary.Current.Log.Listen(listener);
}
