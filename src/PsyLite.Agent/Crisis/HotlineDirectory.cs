using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent.Crisis;

/// <summary>One help line. <paramref name="Hours"/> is shown to people; the other facts are for those who keep the list true.</summary>
public sealed record Hotline(string Id, string Region, string Name, string Number, string Hours, string Source, DateOnly VerifiedOn);

/// <summary>
/// The one place where help numbers live. Texts name lines by id, as in {cn.lifeline}; a text that names an unknown line fails to load.
/// </summary>
public sealed partial class HotlineDirectory
{
    private readonly Dictionary<string, Hotline> _lines;

    public HotlineDirectory()
    {
        var list = (YamlSequenceNode)EmbeddedText.ReadYaml("Crisis.hotlines.yaml")["lines"];
        _lines = list.Cast<YamlMappingNode>().Select(Read).ToDictionary(l => l.Id);
    }

    public IReadOnlyCollection<Hotline> Lines => _lines.Values;

    /// <summary>Fills in the numbers of a preset text.</summary>
    public string Fill(string text) => Placeholder().Replace(text, m => _lines.TryGetValue(m.Groups[1].Value, out var line)
        ? line.Number
        : throw new FormatException($"A preset text names the unknown help line {m.Groups[1].Value}."));

    /// <summary>True when the digits are a number of this directory.</summary>
    public bool Knows(string digits) => _lines.Values.Any(l => Digits(l.Number) == Digits(digits));

    private static string Digits(string text) => string.Concat(text.Where(char.IsAsciiDigit));

    private static Hotline Read(YamlMappingNode node)
    {
        string Need(string key) => node.Text(key) ?? throw new FormatException($"A help line lacks '{key}'.");
        return new Hotline(Need("id"), Need("region"), Need("name"), Need("number"), Need("hours"), Need("source"),
            DateOnly.ParseExact(Need("verifiedOn"), "yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    [GeneratedRegex("\\{([a-z]+\\.[a-z]+)\\}")]
    private static partial Regex Placeholder();
}
