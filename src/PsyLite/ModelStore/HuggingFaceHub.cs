using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PsyLite.ModelStore;

/// <summary>Resolves references to HuggingFace repositories: first a commit, then the file's size and SHA-256 at that commit.</summary>
internal static partial class HuggingFaceHub
{
    private const int MaxApiBytes = 16 << 20;
    private const int NamesShown = 8;

    public static async Task<ResolvedModel> ResolveAsync(HubHttp http, HuggingFaceReference reference, Random random, CancellationToken cancellationToken)
    {
        try
        {
            var (commit, licence) = await CommitAsync(http, reference, random, cancellationToken);
            var named = reference.File is null ? reference with { File = await OnlyFileAsync(http, reference.Repository, commit, random, cancellationToken) } : reference;
            if (PartOfSeveral().IsMatch(named.File!))
            {
                throw new PullException($"{named.File} is one part of a model in several files: choose a file that holds the whole model.");
            }

            var address = new Uri(http.Origin, $"{named.Repository}/resolve/{commit}/{Escaped(named.File!)}");
            var (sha256, bytes) = await FactsAsync(http, named, commit, address, random, cancellationToken);
            return new ResolvedModel(named.Id, http.Origin.AbsoluteUri, commit, licence, [new RemoteFile(RemoteFile.ModelRole, address, sha256, bytes)]);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new PullException($"{http.Origin.Host} gave no readable answer about {reference.Repository}; try another mirror.", fault);
        }
    }

    private static async Task<(string Commit, string? Licence)> CommitAsync(HubHttp http, HuggingFaceReference reference, Random random, CancellationToken cancellationToken)
    {
        var revision = reference.Revision ?? "main";
        var bytes = await http.GetSmallAsync(
            new Uri(http.Origin, $"api/models/{reference.Repository}/revision/{revision}"), MaxApiBytes, $"{reference.Repository} at {revision}", "application/json", random, cancellationToken);
        using var json = JsonDocument.Parse(bytes);
        var commit = json.RootElement.GetProperty("sha").GetString() ?? "";
        if (!HuggingFaceReference.Commit().IsMatch(commit) || (reference.IsPinned && commit != revision))
        {
            throw new FormatException("commit");
        }

        var licence = json.RootElement.TryGetProperty("tags", out var tags)
            ? tags.EnumerateArray().Select(t => t.GetString() ?? "").FirstOrDefault(t => t.StartsWith("license:", StringComparison.Ordinal))?["license:".Length..]
            : null;
        return (commit, licence);
    }

    private static async Task<string> OnlyFileAsync(HubHttp http, string repository, string commit, Random random, CancellationToken cancellationToken)
    {
        var names = (await TreeAsync(http, repository, commit, random, cancellationToken)).Keys.Where(n => n.EndsWith(".gguf", StringComparison.Ordinal)).Order().ToList();
        return names.Count switch
        {
            1 => names[0],
            0 => throw new PullException($"{repository} holds no GGUF file: choose a repository that does."),
            _ => throw new PullException($"{repository} holds {names.Count} GGUF files, name one as hf:{repository}/FILE: {string.Join(", ", names.Take(NamesShown))}{(names.Count > NamesShown ? ", …" : "")}"),
        };
    }

    /// <summary>From the headers of the file's own address, which mirrors have, too; else from the listing of the commit.</summary>
    private static async Task<(string Sha256, long Bytes)> FactsAsync(
        HubHttp http, HuggingFaceReference reference, string commit, Uri address, Random random, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.SendAsync(HttpMethod.Head, address, null, cancellationToken, stopsAtOtherHost: true);
            if ((int)response.StatusCode is 404 or 401 or 403)
            {
                http.Check(response, reference.Id);
            }

            string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.First().Trim('"') : null;
            if (Header("X-Linked-ETag") is { } tag && Sha256().IsMatch(tag) && (Header("X-Repo-Commit") ?? commit) == commit
                && long.TryParse(Header("X-Linked-Size"), NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0)
            {
                return (tag, size);
            }
        }
        catch (TransientPullException)
        {
            // The listing below asks again, with pauses.
        }

        var tree = await TreeAsync(http, reference.Repository, commit, random, cancellationToken);
        return !tree.TryGetValue(reference.File!, out var facts)
            ? throw new PullException($"{http.Origin.Host} has no {reference.File} in {reference.Repository} at {commit}: check the name of the file.")
            : facts ?? throw new PullException($"{http.Origin.Host} tells no SHA-256 of {reference.File}, so it could not be verified; choose another file or mirror.");
    }

    private static async Task<Dictionary<string, (string Sha256, long Bytes)?>> TreeAsync(HubHttp http, string repository, string commit, Random random, CancellationToken cancellationToken)
    {
        var bytes = await http.GetSmallAsync(
            new Uri(http.Origin, $"api/models/{repository}/tree/{commit}?recursive=true"), MaxApiBytes, $"the files of {repository}", "application/json", random, cancellationToken);
        using var json = JsonDocument.Parse(bytes);
        return json.RootElement.EnumerateArray().Where(e => e.GetProperty("type").GetString() == "file").ToDictionary(
            e => e.GetProperty("path").GetString()!,
            e => e.TryGetProperty("lfs", out var lfs) && lfs.ValueKind == JsonValueKind.Object && lfs.GetProperty("oid").GetString() is { } oid && Sha256().IsMatch(oid) ? (oid, lfs.GetProperty("size").GetInt64()) : ((string, long)?)null,
            StringComparer.Ordinal);
    }

    private static string Escaped(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    [GeneratedRegex(@"\A[0-9a-f]{64}\z")]
    private static partial Regex Sha256();

    [GeneratedRegex(@"-[0-9]{5}-of-[0-9]{5}\.gguf\z")]
    private static partial Regex PartOfSeveral();
}
