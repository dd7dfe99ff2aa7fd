using System.Text;
using System.Text.Json;

namespace PsyLite.Training.Data.Records;

/// <summary>
/// What made a file, written beside it as <c>NAME.manifest.json</c>. It holds no time and no folder, so a repeated run gives the same bytes;
/// the same inputs, options and version give the same outputs.
/// </summary>
public sealed record DataManifest(string Command)
{
    /// <summary>Options that shape the output, as the user named them.</summary>
    public SortedDictionary<string, string> Options { get; init; } = new(StringComparer.Ordinal);

    public int? Seed { get; init; }

    /// <summary>Of the program.</summary>
    public string Version { get; init; } = typeof(DataManifest).Assembly.GetName().Version?.ToString(3) ?? "0";

    public List<InputFacts> Inputs { get; init; } = [];

    public List<OutputFacts> Outputs { get; init; } = [];

    /// <summary>Rows by licence, as the source or the user named it.</summary>
    public SortedDictionary<string, long> Licences { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Rows by source.</summary>
    public SortedDictionary<string, long> Sources { get; init; } = new(StringComparer.Ordinal);

    /// <summary>What became of the rows, by name.</summary>
    public SortedDictionary<string, long> Counts { get; init; } = new(StringComparer.Ordinal);

    public static string PathOf(string output) => output + ".manifest.json";

    public void Count(string name, long rows = 1) => Counts[name] = Counts.GetValueOrDefault(name) + rows;

    /// <summary>Counts a record of an output.</summary>
    public void Add(DataRecord record)
    {
        Licences[record.Licence ?? "unknown"] = Licences.GetValueOrDefault(record.Licence ?? "unknown") + 1;
        var source = record.Source.Split('/')[0];
        Sources[source] = Sources.GetValueOrDefault(source) + 1;
    }

    public string ToJson() => JsonSerializer.Serialize(this, new JsonSerializerOptions(DataRecord.Json) { WriteIndented = true });

    /// <param name="path">The manifest's own path.</param>
    public void Write(string path)
    {
        path = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path + ".part", ToJson() + "\n", new UTF8Encoding(false));
        File.Move(path + ".part", path, overwrite: true);
    }
}
