using PsyLite.Training.Data.Records;

namespace PsyLite.Training.Data.Import;

/// <summary>Where records come from, and what is taken of them.</summary>
public sealed record SourceOptions(string Path)
{
    public SourceFormat Format { get; init; } = SourceFormat.Auto;

    /// <summary>Name of the set; the file's or folder's name by default.</summary>
    public string? Name { get; init; }

    /// <summary>Licence of all rows; a row's own where null.</summary>
    public string? Licence { get; init; }

    /// <summary>Rows with a lower score are left out; rows without a score, too, where the bound is set.</summary>
    public double? MinScore { get; init; }

    /// <summary>Parts of <c>repo_name</c>, one of which a row must have; any when empty.</summary>
    public IReadOnlyList<string> Repositories { get; init; } = [];

    /// <summary>Parts of <c>repo_name</c> that a row must not have.</summary>
    public IReadOnlyList<string> ExceptRepositories { get; init; } = [];
}

/// <summary>Reads sources as records.</summary>
public static class RecordReading
{
    /// <summary>Records of all sources, one after another.</summary>
    public static IEnumerable<DataRecord> Records(IEnumerable<SourceOptions> sources, DataManifest manifest, RejectedRows? rejected, CancellationToken cancellationToken, IProgress<long>? progress = null) =>
        sources.SelectMany(s => new RecordSource(s, manifest, rejected).Read(progress, cancellationToken));

    /// <summary>Bytes on disk of a file or folder of data.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static long Bytes(string path) => RecordSource.Files(path).Sum(f => new FileInfo(f).Length);
}

/// <summary>
/// Records of a file or of a folder of files (in ordinal order), whatever their format. What cannot be read goes to the rejected rows, what is not
/// wanted is counted.
/// </summary>
internal sealed class RecordSource(SourceOptions options, DataManifest manifest, RejectedRows? rejected)
{
    private static readonly string[] Endings = [".json", ".jsonl", ".csv", ".tsv", ".json.gz", ".jsonl.gz", ".csv.gz", ".tsv.gz"];

    /// <exception cref="FileNotFoundException">There is no such file or folder, or nothing readable in it.</exception>
    public static IReadOnlyList<string> Files(string path)
    {
        if (File.Exists(path))
        {
            return [path];
        }

        var files = Directory.Exists(path)
            ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(IsData).Order(StringComparer.Ordinal).ToList()
            : [];
        return files.Count > 0 ? files : throw new FileNotFoundException($"there is no data at {path}: give a file, or a folder with .json, .jsonl or .csv files (also .gz).");

        static bool IsData(string file) => Endings.Any(e => file.EndsWith(e, StringComparison.OrdinalIgnoreCase))
            && !file.EndsWith(".manifest.json", StringComparison.Ordinal) && !file.EndsWith(".rejected.jsonl", StringComparison.Ordinal);
    }

    /// <summary>Name of the set without its endings.</summary>
    public static string NameOf(string path)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        var ending = Endings.OrderByDescending(e => e.Length).FirstOrDefault(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase));
        return ending is null ? name : name[..^ending.Length];
    }

    public IEnumerable<DataRecord> Read(IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var number = 0L;
        var files = Files(options.Path);
        foreach (var path in files)
        {
            using var input = InputFile.Open(path, progress);
            var topic = files.Count > 1 && Path.GetDirectoryName(Path.GetRelativePath(options.Path, path)) is { Length: > 0 } folder ? folder : null;
            var facts = new SourceFacts(options.Name ?? NameOf(options.Path), options.Format, options.Licence, topic);
            foreach (var row in Rows(path, input))
            {
                cancellationToken.ThrowIfCancellationRequested();
                manifest.Count("read");
                var (record, fault) = row.Fault is null ? RowMapper.Map(row.Value, ++number, facts) : new MappedRow(null, row.Fault);
                if (record is null)
                {
                    manifest.Count("rejected");
                    rejected?.Add(path, row.Line, fault!);
                }
                else if (Unwanted(record) is { } reason)
                {
                    manifest.Count(reason);
                }
                else
                {
                    yield return record;
                }
            }

            manifest.Inputs.Add(input.Finish());
        }
    }

    /// <summary>Rows until the file ends or turns out to be damaged gzip, which is a last row with a fault.</summary>
    private static IEnumerable<SourceRow> Rows(string path, InputFile input)
    {
        using var rows = RowReader.Read(path, input.Content).GetEnumerator();
        var last = 0L;
        while (true)
        {
            SourceRow row;
            try
            {
                if (!rows.MoveNext())
                {
                    yield break;
                }

                row = rows.Current;
                last = row.Line;
            }
            catch (InvalidDataException)
            {
                row = SourceRow.Broken(last + 1, "the gzip is damaged; nothing after this line could be read");
            }

            yield return row;
            if (row.Fault?.StartsWith("the gzip", StringComparison.Ordinal) == true)
            {
                yield break;
            }
        }
    }

    private string? Unwanted(DataRecord record) =>
        options.MinScore is { } least && !(record.Score >= least) ? "filtered: score"
        : options.Repositories.Count > 0 && !options.Repositories.Any(r => record.Origin?.Contains(r, StringComparison.OrdinalIgnoreCase) == true) ? "filtered: repo_name"
        : options.ExceptRepositories.Any(r => record.Origin?.Contains(r, StringComparison.OrdinalIgnoreCase) == true) ? "filtered: repo_name"
        : null;
}
