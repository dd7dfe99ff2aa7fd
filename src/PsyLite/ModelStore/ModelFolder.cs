using System.Text.Json;
using PsyLite.Models.Gguf;

namespace PsyLite.ModelStore;

/// <summary>
/// The folder of pulled models: manifests/ names them, blobs/ holds their files by SHA-256. A manifest is written only after its files
/// are whole and verified, so what it names can be loaded.
/// </summary>
internal sealed class ModelFolder(string root)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    public string Root { get; } = Path.GetFullPath(root);

    private string Manifests => Path.Combine(Root, "manifests");

    private string Blobs => Path.Combine(Root, "blobs");

    /// <summary>Every model that is there whole, by name.</summary>
    public IReadOnlyList<ModelManifest> List() => !Directory.Exists(Manifests)
        ? []
        : [.. Directory.EnumerateFiles(Manifests, "*.json").Select(Read).OfType<ModelManifest>().OrderBy(m => m.Id, StringComparer.Ordinal)];

    /// <summary>The model of this name; null when it is not there whole. A HuggingFace name may carry the commit that was pulled.</summary>
    public ModelManifest? Find(string id)
    {
        if (!Directory.Exists(Manifests))
        {
            return null;
        }

        ModelReference reference;
        try
        {
            reference = ModelReference.Parse(id);
        }
        catch (FormatException)
        {
            return null;
        }

        var found = reference is HuggingFaceReference { File: null } open
            ? List().FirstOrDefault(m => m.Id.StartsWith(open.Id, StringComparison.Ordinal))
            : Read(ManifestPath(reference.Id));
        return reference is HuggingFaceReference { Revision: { } revision } && found?.Revision != revision ? null : found;
    }

    public string PathOf(StoredFile file) => Path.Combine(Root, file.File);

    /// <summary>Where a file of this hash belongs, relative to the folder. llama.cpp's tools want models to end in .gguf.</summary>
    public static string BlobName(RemoteFile file) => $"blobs/sha256-{file.Sha256}{(file.Role == RemoteFile.ModelRole ? ".gguf" : "")}";

    public void Save(ModelManifest manifest)
    {
        Directory.CreateDirectory(Manifests);
        var path = ManifestPath(manifest.Id);
        var older = Read(path);
        var partial = path + ".partial";
        File.WriteAllBytes(partial, JsonSerializer.SerializeToUtf8Bytes(manifest, ModelManifest.Json));
        File.Move(partial, path, overwrite: true);
        RemoveUnnamed(older?.Files ?? []);
    }

    public void Remove(ModelManifest manifest)
    {
        File.Delete(ManifestPath(manifest.Id));
        RemoveUnnamed(manifest.Files);
    }

    /// <summary>Downloads that were begun and not finished.</summary>
    public IReadOnlyList<FileInfo> Unfinished() => Directory.Exists(Blobs) ? new DirectoryInfo(Blobs).GetFiles("*" + RangeJournal.PartialSuffix) : [];

    public void RemoveUnfinished(FileInfo partial)
    {
        var hash = partial.Name["sha256-".Length..].Split('.')[0];
        try
        {
            using var alone = Lock(hash);
            File.Delete(RangeJournal.PathOf(partial.FullName));
            partial.Delete();
        }
        catch (IOException fault)
        {
            throw new IOException($"{partial.Name} is being pulled just now; stop that first.", fault);
        }
    }

    /// <summary>Waits until nobody else works on this hash, then keeps them out until the result is disposed.</summary>
    /// <param name="waiting">Called once when somebody else does.</param>
    public async Task<IDisposable> LockAsync(string sha256, Action waiting, CancellationToken cancellationToken)
    {
        for (var looks = 0; ; looks++)
        {
            try
            {
                return Lock(sha256);
            }
            catch (IOException) when (File.Exists(LockPath(sha256)))
            {
                if (looks == 0)
                {
                    waiting();
                }

                await Task.Delay(BetweenLooks, cancellationToken);
            }
        }
    }

    /// <summary>What a model file says of itself; reads the header only, with every bound checked.</summary>
    /// <exception cref="InvalidDataException">It is not a GGUF file, or ends before its tensors do.</exception>
    public static (string? Architecture, string? Quantization, long Context, string? Licence) Describe(string path)
    {
        using var file = GgufReader.Open(path);
        var architecture = file.Metadata.Get("general.architecture", "");
        var licence = file.Metadata.Get("general.license", "");
        var most = file.Tensors.GroupBy(t => t.Type).OrderByDescending(g => g.Sum(t => t.ByteCount)).Select(g => g.Key.ToString()).FirstOrDefault();
        var fileType = file.Metadata.Get("general.file_type", -1L);
        var named = Enum.IsDefined((Engine.QuantizedType)fileType) ? ((Engine.QuantizedType)fileType).ToString() : most;
        return (architecture, named, file.Metadata.Get($"{architecture}.context_length", 0L), licence.Length > 0 ? licence : null);
    }

    private string LockPath(string sha256) => Path.Combine(Root, "locks", sha256);

    private FileStream Lock(string sha256)
    {
        Directory.CreateDirectory(Path.Combine(Root, "locks"));
        return new FileStream(LockPath(sha256), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    private string ManifestPath(string id) => Path.Combine(Manifests, Uri.EscapeDataString(id) + ".json");

    /// <summary>Null when there is no such manifest, it cannot be read, or one of its files is not there in full.</summary>
    private ModelManifest? Read(string path)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<ModelManifest>(File.ReadAllBytes(path), ModelManifest.Json);
            return manifest is { Id: not null, Files: not null } && manifest.Files.Any(f => f.Role == RemoteFile.ModelRole)
                && manifest.Files.All(f => new FileInfo(PathOf(f)) is { Exists: true } there && there.Length == f.Bytes) ? manifest : null;
        }
        catch (Exception fault) when (fault is IOException or JsonException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private void RemoveUnnamed(IEnumerable<StoredFile> files)
    {
        var named = List().SelectMany(m => m.Files).Select(f => f.File).ToHashSet(StringComparer.Ordinal);
        foreach (var file in files.Where(f => !named.Contains(f.File)))
        {
            File.Delete(PathOf(file));
        }
    }
}
