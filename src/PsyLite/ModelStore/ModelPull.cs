using System.Security.Cryptography;

namespace PsyLite.ModelStore;

/// <summary>What to reach for, besides the reference.</summary>
/// <param name="Mirror">Takes the place of the registry or hub; null for the usual one.</param>
/// <param name="HuggingFace">Address of the hub.</param>
/// <param name="HuggingFaceToken">Sent to the hub alone, never to a mirror or behind a redirect.</param>
internal sealed record PullSources(Uri? Mirror, Uri HuggingFace, string? HuggingFaceToken);

/// <summary>What a pull tells while it runs.</summary>
internal interface IPullWatch
{
    void Resolved(ResolvedModel model);

    /// <summary>Another process pulls the same file; it is waited for.</summary>
    void Waiting();

    /// <summary>A file begins; the result counts its bytes until it is disposed.</summary>
    IPullMeter Begin(RemoteFile file, long alreadyHere);
}

/// <summary>Counts bytes; negative ones must be fetched again.</summary>
internal interface IPullMeter : IDisposable
{
    void Add(long bytes);
}

/// <summary>Brings a model into the folder: resolve, fetch, verify, then name it. Nothing is named before it is whole.</summary>
internal sealed class ModelPull(ModelFolder folder, PullSources sources, DownloadLimits limits, TimeProvider time, int seed, WriteAt? write = null, Func<string, long>? freeBytes = null)
{
    /// <summary>How often a file that fails its hash is fetched anew: once, for a fault on the way; a second time is the server's.</summary>
    private const int HashAttempts = 2;

    /// <exception cref="PullException">It cannot be had; the message is one line for a person.</exception>
    /// <exception cref="IOException">The disk is full or cannot be written.</exception>
    public async Task<ModelManifest> RunAsync(ModelReference reference, IPullWatch watch, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        using var http = new HubHttp(Origin(reference), Token(reference), limits, time);
        var resolved = reference switch
        {
            OllamaReference ollama => await OllamaRegistry.ResolveAsync(http, ollama, random, cancellationToken),
            HuggingFaceReference hub => await HuggingFaceHub.ResolveAsync(http, hub, random, cancellationToken),
            _ => throw new ArgumentOutOfRangeException(nameof(reference)),
        };
        watch.Resolved(resolved);
        var model = resolved.Files.First(f => f.Role == RemoteFile.ModelRole);
        using (await folder.LockAsync(model.Sha256, watch.Waiting, cancellationToken))
        {
            if (folder.Find(resolved.Id) is { } there && there.Revision == resolved.Revision)
            {
                return there;
            }

            foreach (var file in resolved.Files)
            {
                await BringAsync(http, file, watch, cancellationToken);
            }

            var manifest = Manifest(resolved, model);
            folder.Save(manifest);
            return manifest;
        }
    }

    private Uri Origin(ModelReference reference) => sources.Mirror ?? reference switch
    {
        OllamaReference { Host: var host } => new Uri($"{(host.StartsWith("localhost", StringComparison.Ordinal) || host.StartsWith("127.0.0.1", StringComparison.Ordinal) ? "http" : "https")}://{host}/"),
        _ => sources.HuggingFace,
    };

    private string? Token(ModelReference reference) => reference is HuggingFaceReference && sources.Mirror is null ? sources.HuggingFaceToken : null;

    private async Task BringAsync(HubHttp http, RemoteFile file, IPullWatch watch, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder.Root, ModelFolder.BlobName(file));
        if (new FileInfo(path) is { Exists: true } there && there.Length == file.Bytes)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var partial = path + RangeJournal.PartialSuffix;
        var here = Here(file, partial);
        DiskSpace.Require(folder.Root, file.Bytes - here, freeBytes);
        using (var meter = watch.Begin(file, here))
        {
            for (var attempt = 1; ; attempt++)
            {
                await new RangedDownload(http, limits, time, seed, write).FetchAsync(file, partial, meter.Add, cancellationToken);
                if (await IsRightAsync(partial, file, cancellationToken))
                {
                    break;
                }

                Discard(partial);
                meter.Add(-file.Bytes);
                if (attempt == HashAttempts)
                {
                    throw new PullException($"what {file.Address.Host} sends as {file.Role} does not have the SHA-256 {file.Sha256} that was announced: it was thrown away; try another mirror.");
                }
            }
        }

        CheckHeader(file, partial);
        File.Move(partial, path, overwrite: true);
        File.Delete(RangeJournal.PathOf(partial));
    }

    private static long Here(RemoteFile file, string partial)
    {
        using var journal = RangeJournal.Open(partial, file.Bytes);
        return journal.Bytes;
    }

    private static void Discard(string partial)
    {
        File.Delete(partial);
        File.Delete(RangeJournal.PathOf(partial));
    }

    private static async Task<bool> IsRightAsync(string path, RemoteFile file, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan | FileOptions.Asynchronous);
        return stream.Length == file.Bytes && Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken)) == file.Sha256;
    }

    private static void CheckHeader(RemoteFile file, string partial)
    {
        if (file.Role != RemoteFile.ModelRole)
        {
            return;
        }

        try
        {
            _ = ModelFolder.Describe(partial);
        }
        catch (InvalidDataException fault)
        {
            Discard(partial);
            throw new PullException($"{file.Address.Host} sent the file it announced, but it is no usable GGUF ({fault.Message}): choose another one.", fault);
        }
    }

    private ModelManifest Manifest(ResolvedModel resolved, RemoteFile model)
    {
        var files = resolved.Files.Select(f => new StoredFile(f.Role, f.Sha256, f.Bytes, ModelFolder.BlobName(f))).ToList();
        var (architecture, quantization, context, licence) = ModelFolder.Describe(Path.Combine(folder.Root, ModelFolder.BlobName(model)));
        return new ModelManifest(resolved.Id, resolved.Source, resolved.Revision, time.GetUtcNow(), resolved.Licence ?? licence ?? LicenceText(files), architecture, quantization, context, files);
    }

    /// <summary>The first line of the licence that came along.</summary>
    private string? LicenceText(List<StoredFile> files)
    {
        if (files.FirstOrDefault(f => f.Role == "license") is not { } file)
        {
            return null;
        }

        var line = File.ReadLines(folder.PathOf(file)).Select(l => l.Trim()).FirstOrDefault(l => l.Length > 0);
        return line is null ? null : string.Concat(line.Where(c => !char.IsControl(c)).Take(80));
    }
}
