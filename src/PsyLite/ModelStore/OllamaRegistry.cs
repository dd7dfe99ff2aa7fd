using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PsyLite.ModelStore;

/// <summary>Resolves references of Ollama's registry protocol: manifest v2, layers by digest.</summary>
internal static partial class OllamaRegistry
{
    private const string Accept = "application/vnd.docker.distribution.manifest.v2+json";
    private const string LayerPrefix = "application/vnd.ollama.image.";
    private const int MaxManifestBytes = 1 << 20;

    /// <summary>Templates, parameters and licences are texts; none comes near this.</summary>
    private const long MaxTextBytes = 4 << 20;
    private static readonly string[] TextRoles = ["template", "system", "params", "license", "messages"];

    public static async Task<ResolvedModel> ResolveAsync(HubHttp http, OllamaReference reference, Random random, CancellationToken cancellationToken)
    {
        var repository = new Uri(http.Origin, $"v2/{reference.Namespace}/{reference.Name}/");
        var bytes = await http.GetSmallAsync(new Uri(repository, $"manifests/{reference.Tag}"), MaxManifestBytes, reference.Id, Accept, random, cancellationToken);
        try
        {
            using var json = JsonDocument.Parse(bytes);
            var files = Files(json.RootElement, repository).ToList();
            return files.Count(f => f.Role == RemoteFile.ModelRole) == 1
                ? new ResolvedModel(reference.Id, http.Origin.AbsoluteUri, $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}", null, files)
                : throw new PullException($"{reference.Id} is not one GGUF model (it may be in parts, or an adapter): choose another tag.");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new PullException($"{http.Origin.Host} gave no readable manifest for {reference.Id}; try another mirror.", fault);
        }
    }

    private static IEnumerable<RemoteFile> Files(JsonElement manifest, Uri repository)
    {
        if (manifest.GetProperty("schemaVersion").GetInt32() != 2)
        {
            throw new FormatException("schemaVersion");
        }

        foreach (var layer in manifest.GetProperty("layers").EnumerateArray())
        {
            var type = layer.GetProperty("mediaType").GetString() ?? "";
            var role = type.StartsWith(LayerPrefix, StringComparison.Ordinal) ? type[LayerPrefix.Length..] : "";
            if (role == RemoteFile.ModelRole || (TextRoles.Contains(role) && layer.GetProperty("size").GetInt64() is > 0 and <= MaxTextBytes))
            {
                yield return File(layer, role, repository);
            }
        }
    }

    private static RemoteFile File(JsonElement layer, string role, Uri repository)
    {
        var digest = layer.GetProperty("digest").GetString() ?? "";
        var size = layer.GetProperty("size").GetInt64();
        return Digest().IsMatch(digest) && size > 0
            ? new RemoteFile(role, new Uri(repository, $"blobs/{digest}"), digest[7..], size)
            : throw new FormatException("digest");
    }

    [GeneratedRegex(@"\Asha256:[0-9a-f]{64}\z")]
    private static partial Regex Digest();
}
