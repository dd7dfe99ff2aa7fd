using System.CommandLine;
using System.Globalization;
using PsyLite.Training.Data.Import;

namespace PsyLite.Commands;

/// <summary>The flags that say how raw sources are read, alike in every data command.</summary>
internal sealed class DataSourceOptions
{
    private readonly Option<string> _format = new("--format")
    {
        Description = "auto | cpsycoun | sharegpt | alpaca | openai | r1distill | saferlhf | pairs | record（CSV、JSON、JSONL、gzip 自动识别 · containers are told by themselves）",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<string?> _licence = new("--licence") { Description = "来源的许可证 · licence of the source, kept with every record" };
    private readonly Option<double?> _minScore = new("--min-score") { Description = "score 低于此值的行不要 · leave out rows with a lower score" };
    private readonly Option<string[]> _repositories = new("--repo") { Description = "只要 repo_name 含此字样的行 · only rows whose repo_name contains this", AllowMultipleArgumentsPerToken = true };
    private readonly Option<string[]> _except = new("--not-repo") { Description = "不要 repo_name 含此字样的行 · no rows whose repo_name contains this", AllowMultipleArgumentsPerToken = true };

    public void AddTo(Command command)
    {
        _format.AcceptOnlyFromAmong([.. Enum.GetNames<SourceFormat>().Select(n => n.ToLowerInvariant())]);
        foreach (var option in new Option[] { _format, _licence, _minScore, _repositories, _except })
        {
            command.Options.Add(option);
        }
    }

    public SourceOptions Of(ParseResult parsed, string path, string? name = null) => new(path)
    {
        Format = Enum.Parse<SourceFormat>(parsed.GetRequiredValue(_format), ignoreCase: true),
        Name = name,
        Licence = parsed.GetValue(_licence),
        MinScore = parsed.GetValue(_minScore),
        Repositories = parsed.GetValue(_repositories) ?? [],
        ExceptRepositories = parsed.GetValue(_except) ?? [],
    };

    /// <summary>A path with a share behind a colon, as in general.jsonl:10; 1 where none is given.</summary>
    public static (string Path, double Share) WithShare(string text) =>
        text.LastIndexOf(':') is > 0 and var colon && double.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var share)
            ? (text[..colon], share)
            : (text, 1);
}
