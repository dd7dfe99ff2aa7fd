using Microsoft.Win32.SafeHandles;
using PsyLite.ModelStore;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.ModelStore;

/// <summary>Pulls from a fake hub into a folder of the test's own.</summary>
internal sealed class Pulls(FakeHub hub) : IPullWatch, IDisposable
{
    public static readonly ModelReference Registry = ModelReference.Parse("someone/counsel:q4");
    public static readonly ModelReference Hub = ModelReference.Parse($"hf:owner/repo@{FakeHub.Commit}/sub/model-q4.gguf");

    public static readonly DownloadLimits Limits = new()
    {
        PartBytes = 40_000,
        RecordBytes = 8_000,
        Attempts = 4,
        FirstPause = TimeSpan.FromMilliseconds(1),
        LongestPause = TimeSpan.FromMilliseconds(4),
        Stall = TimeSpan.FromMilliseconds(400),
        Headers = TimeSpan.FromSeconds(5),
    };

    private readonly TemporaryFolder _files = new();
    private long _metered;

    public ModelFolder Folder => new(_files["models"]);

    public WriteAt? Write { get; set; }

    public Func<string, long>? FreeBytes { get; set; }

    public DownloadLimits Used { get; set; } = Limits;

    public int Waits { get; private set; }

    public long Metered => Interlocked.Read(ref _metered);

    public Task<ModelManifest> RunAsync(ModelReference? reference = null, string? token = null, bool mirror = true, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(Folder.Root);
        return new ModelPull(Folder, new PullSources(mirror ? hub.Origin : null, hub.Origin, token), Used, TimeProvider.System, 1, Write, FreeBytes)
            .RunAsync(reference ?? Registry, this, cancellationToken);
    }

    public byte[] Pulled(string id = "someone/counsel:q4") => File.ReadAllBytes(Folder.PathOf(Folder.Find(id)!.Model));

    public void Resolved(ResolvedModel model)
    {
    }

    public void Waiting() => Waits++;

    public IPullMeter Begin(RemoteFile file, long alreadyHere) => new Meter(this, alreadyHere);

    public void Dispose() => _files.Dispose();

    /// <summary>A real disk that is full after so many bytes.</summary>
    public static WriteAt FullAfter(long bytes)
    {
        var left = bytes;
        return async (file, data, offset, cancellationToken) =>
        {
            if (Interlocked.Add(ref left, -data.Length) < 0)
            {
                using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
                await RandomAccess.WriteAsync(full, data, 0, cancellationToken);
            }

            await RandomAccess.WriteAsync(file, data, offset, cancellationToken);
        };
    }

    private sealed class Meter : IPullMeter
    {
        private readonly Pulls _pulls;

        public Meter(Pulls pulls, long start) => Interlocked.Add(ref (_pulls = pulls)._metered, start);

        public void Add(long bytes) => Interlocked.Add(ref _pulls._metered, bytes);

        public void Dispose()
        {
        }
    }
}
