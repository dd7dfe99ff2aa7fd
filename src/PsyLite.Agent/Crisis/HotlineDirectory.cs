using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent.Crisis;

/// <summary>
/// One help line. <paramref name="Hours"/> is shown to people, <paramref name="IsAlwaysOpen"/> says that it is staffed day and night; the
/// other facts are for those who keep the list true.
/// </summary>
public sealed record Hotline(
    string Id, string Region, string Name, string Number, string Hours, bool IsAlwaysOpen, string Source, DateOnly VerifiedOn);

/// <summary>
/// The one place where help numbers live. Texts ask for a role, as in {line} or {emergency}; the region decides which numbers that means.
/// A directory that cannot be read is empty, and roles are then said in words: a person in danger still hears what to do.
/// </summary>
public sealed partial class HotlineDirectory
{
    /// <summary>Region of people whose place is unknown.</summary>
    public const string Anywhere = "INTL";

    /// <summary>Days after which a number must be looked up at its source again.</summary>
    public const int ValidDays = 90;

    private const string DefaultLanguage = "zh-CN";
    private readonly Dictionary<string, Hotline> _lines = [];
    private readonly Dictionary<(string Region, string Role), IReadOnlyList<string>> _roles = [];
    private readonly Dictionary<(string Role, string Language), string> _words = [];

    public HotlineDirectory()
        : this(EmbeddedText.Read("Crisis.hotlines.yaml"))
    {
    }

    internal HotlineDirectory(string yaml)
    {
        try
        {
            Read(EmbeddedText.ParseYaml(yaml));
        }
        catch (Exception e) when (e is FormatException or InvalidCastException or KeyNotFoundException or ArgumentException)
        {
            Problem = e.Message.ReplaceLineEndings(" ");
            _lines.Clear();
            _roles.Clear();
        }
    }

    /// <summary>Why the directory is empty; null when all is well.</summary>
    public string? Problem { get; }

    public IReadOnlyCollection<Hotline> Lines => _lines.Values;

    public IEnumerable<string> Regions => _roles.Keys.Select(k => k.Region).Distinct();

    public bool HasRegion(string region) => _roles.ContainsKey((region, "line"));

    /// <summary>The lines that a role means in a region, or anywhere when the region does not name them.</summary>
    public IReadOnlyList<Hotline> For(string region, string role) =>
        _roles.TryGetValue((region, role), out var ids) || _roles.TryGetValue((Anywhere, role), out ids) ? [.. ids.Select(id => _lines[id])] : [];

    /// <summary>The lines whose verification is older than <see cref="ValidDays"/> on <paramref name="today"/>, or lies in the future.</summary>
    public IEnumerable<Hotline> Expired(DateOnly today) =>
        _lines.Values.Where(l => today.DayNumber - l.VerifiedOn.DayNumber is < 0 or > ValidDays);

    /// <summary>What stands for a role such as {line} in a text, or null when the name is no role.</summary>
    public string? Say(string role, string region, string language)
    {
        if (!_roles.TryGetValue((region, role), out var ids) && !_roles.TryGetValue((Anywhere, role), out ids))
        {
            return Unnamed(role, language);
        }

        var numbers = string.Join('/', ids.Select(id => _lines[id].Number).Distinct());
        var words = _words.GetValueOrDefault((role, language)) ?? _words.GetValueOrDefault((role, DefaultLanguage));
        return ids.All(id => _lines[id].Region == Anywhere) && words is not null ? words.Replace("#", numbers, StringComparison.Ordinal) : numbers;
    }

    /// <summary>True when the digits are a number of this directory.</summary>
    public bool Knows(string digits) => Digits(digits) is { Length: > 0 } wanted && _lines.Values.Any(l => Digits(l.Number) == wanted);

    /// <summary>True when the text names a line that answers day and night.</summary>
    public bool NamesOpenLine(string text) => _lines.Values.Any(l => l.IsAlwaysOpen && text.Contains(l.Number, StringComparison.Ordinal));

    private static string Digits(string text) => string.Concat(text.Where(char.IsAsciiDigit));

    /// <summary>The role in plain words, for a directory that could not be read.</summary>
    private static string? Unnamed(string role, string language) => (role, language) switch
    {
        ("line" or "youth", "en") => "your local crisis line",
        ("line" or "youth", "zh-TW") => "當地的心理援助專線",
        ("line" or "youth", "yue") => "當地嘅情緒支援熱線",
        ("line" or "youth", _) => "当地的心理援助热线",
        ("ambulance" or "police" or "emergency", "en") => "your local emergency number",
        ("ambulance" or "police" or "emergency", "zh-TW" or "yue") => "當地的緊急電話",
        ("ambulance" or "police" or "emergency", _) => "当地的紧急电话",
        _ => null,
    };

    private void Read(YamlMappingNode root)
    {
        foreach (var node in (YamlSequenceNode)root["lines"])
        {
            var line = ReadLine((YamlMappingNode)node);
            _lines.Add(line.Id, line);
        }

        foreach (var (region, roles) in ((YamlMappingNode)root["regions"]).Children)
        {
            foreach (var (role, _) in ((YamlMappingNode)roles).Children)
            {
                var ids = ((YamlMappingNode)roles).Strings(((YamlScalarNode)role).Value!).ToList();
                var unknown = ids.Find(id => !_lines.ContainsKey(id));
                _roles.Add((((YamlScalarNode)region).Value!, ((YamlScalarNode)role).Value!), unknown is null ? ids
                    : throw new FormatException($"Region {region} names the unknown help line {unknown}."));
            }
        }

        foreach (var (role, languages) in ((YamlMappingNode)root["anywhere"]).Children)
        {
            foreach (var (language, words) in ((YamlMappingNode)languages).Children)
            {
                _words.Add((((YamlScalarNode)role).Value!, ((YamlScalarNode)language).Value!), ((YamlScalarNode)words).Value!);
            }
        }
    }

    private static Hotline ReadLine(YamlMappingNode node)
    {
        string Need(string key) => node.Text(key) ?? throw new FormatException($"A help line lacks '{key}'.");
        var number = NumberShape().IsMatch(Need("number")) ? Need("number") : throw new FormatException($"{Need("id")} has no number that could be dialled.");
        return new Hotline(Need("id"), Need("region"), Need("name"), number, Need("hours"), Need("always") == "true", Need("source"),
            DateOnly.ParseExact(Need("verifiedOn"), "yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("^(?:[0-9][0-9 ]{1,14}[0-9]|[a-z]+\\.[a-z]+)$")]
    private static partial Regex NumberShape();
}
