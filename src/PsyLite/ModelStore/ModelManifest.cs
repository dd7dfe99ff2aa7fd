using System.Text.Json;
using System.Text.Json.Serialization;

namespace PsyLite.ModelStore;

/// <summary>A file of a model in the folder, whole and verified.</summary>
/// <param name="Role">model, template, system, params, license, config.</param>
/// <param name="File">Path below the models folder.</param>
internal sealed record StoredFile(string Role, string Sha256, long Bytes, string File);

/// <summary>What is known of a pulled model, kept beside it as JSON.</summary>
/// <param name="Id">The name that --model takes.</param>
/// <param name="Source">Address of the registry or hub.</param>
/// <param name="Revision">Digest of the registry's manifest, or commit of the repository: what exactly was pulled.</param>
internal sealed record ModelManifest(
    string Id, string Source, string Revision, DateTimeOffset PulledAt, string? Licence, string? Architecture, string? Quantization, long ContextLength, IReadOnlyList<StoredFile> Files)
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    [JsonIgnore]
    public StoredFile Model => Files.First(f => f.Role == RemoteFile.ModelRole);
}

/// <summary>A file that can be fetched, with what it must turn out to be.</summary>
internal sealed record RemoteFile(string Role, Uri Address, string Sha256, long Bytes)
{
    public const string ModelRole = "model";
}

/// <summary>Where a reference leads today.</summary>
/// <param name="Revision">Digest of the manifest or commit.</param>
internal sealed record ResolvedModel(string Id, string Source, string Revision, string? Licence, IReadOnlyList<RemoteFile> Files);
