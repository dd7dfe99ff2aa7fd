using System.Reflection;
using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>llama.cpp loaded into this process: once, on first use, with its log lines led to <see cref="Log"/>.</summary>
internal sealed class LlamaLibrary
{
    private static readonly Lazy<LlamaLibrary> Instance = new(() => new LlamaLibrary(LibraryFolder.Open(AppContext.BaseDirectory, LibraryFolder.CurrentRid)));

    /// <summary>About 131,000 looks, some milliseconds: workers stay awake from token to token, and sleep soon after the last.</summary>
    private const uint PollLevel = 1;

    private readonly nint cpu;

    private LlamaLibrary(LibraryFolder folder)
    {
        Folder = folder.Path;
        var handles = new Dictionary<string, nint>();
        foreach (var name in (ReadOnlySpan<string>)[LlamaNative.GgmlBase, LlamaNative.Ggml, LlamaNative.Llama])
        {
            handles[name] = Load(folder.Find(name));
        }

        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) => handles.GetValueOrDefault(name));
        Log = new LlamaLog();
        Log.Attach();
        LlamaNative.LoadBackends(folder.Path);
        LlamaNative.InitBackend();
        cpu = LlamaNative.BackendByName("CPU");
        if (cpu == 0)
        {
            throw new LlamaException(LlamaError.LibraryMissing, $"No CPU backend of llama.cpp in {folder.Path} runs on this processor: run npm ci --ignore-scripts and build again.");
        }
    }

    /// <summary>The loaded library; the first call loads it.</summary>
    /// <exception cref="LlamaException">Files are missing or do not run here.</exception>
    public static LlamaLibrary Current => Instance.Value;

    public string Folder { get; }

    public LlamaLog Log { get; }

    public unsafe string Version => Marshal.PtrToStringUTF8((nint)LlamaNative.Version()) ?? "";

    /// <summary>Which instruction sets and GPU backends llama.cpp found.</summary>
    public unsafe string SystemInfo => Marshal.PtrToStringUTF8((nint)LlamaNative.SystemInfo()) ?? "";

    /// <summary>
    /// Worker threads that stay alive between tokens; without them ggml starts new ones for every graph. 0 for a single
    /// thread, which needs none.
    /// </summary>
    public unsafe nint CreateThreadpool(int threads)
    {
        if (threads < 2)
        {
            return 0;
        }

        var create = (delegate* unmanaged[Cdecl]<ThreadpoolParams*, nint>)LlamaNative.BackendFunction(cpu, "ggml_threadpool_new");
        if (create is null)
        {
            return 0;
        }

        ThreadpoolParams parameters;
        LlamaNative.InitThreadpoolParams(&parameters, threads);
        parameters.Poll = PollLevel;
        return create(&parameters);
    }

    public unsafe void FreeThreadpool(nint pool)
    {
        var free = (delegate* unmanaged[Cdecl]<nint, void>)LlamaNative.BackendFunction(cpu, "ggml_threadpool_free");
        if (pool != 0 && free is not null)
        {
            free(pool);
        }
    }

    private static nint Load(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            throw new LlamaException(
                LlamaError.LibraryMissing,
                $"llama.cpp's library {path} does not load here: run npm ci --ignore-scripts and build again (it needs glibc 2.32 and libstdc++ on Linux).",
                failure);
        }
    }
}
