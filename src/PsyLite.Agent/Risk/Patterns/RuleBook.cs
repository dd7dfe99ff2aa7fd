using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent.Risk.Patterns;

/// <summary>All rules of the embedded YAML files, compiled. Immutable and safe to share between conversations.</summary>
internal sealed class RuleBook
{
    private const int LookaheadMargin = 32;
    private readonly List<PatternRule> _rules = [];
    private readonly List<(CompiledPattern Pattern, PatternRule Rule)> _patterns = [];
    private readonly AnchorScanner _scanner;

    public RuleBook(TextNormaliser normaliser)
    {
        var files = EmbeddedText.Names("Rules.").Select(EmbeddedText.ReadYaml).ToList();
        var words = files.SelectMany(f => Mapping(f, "words"))
            .ToDictionary(w => ((YamlScalarNode)w.Key).Value!, w => ((YamlScalarNode)w.Value).Value!);
        var syntax = new PatternSyntax(words, normaliser.FoldPatternChar);
        Contexts = files.SelectMany(f => Mapping(f, "contexts"))
            .ToDictionary(c => ((YamlScalarNode)c.Key).Value!, c => ReadContext((YamlMappingNode)c.Value, syntax));
        foreach (var node in files.Where(f => f.Children.ContainsKey("rules")).SelectMany(f => (YamlSequenceNode)f["rules"]))
        {
            Add((YamlMappingNode)node, syntax);
        }

        _scanner = new AnchorScanner(_patterns.SelectMany((p, number) => p.Pattern.Anchors.Select(a => (a, number))));
    }

    public IReadOnlyList<PatternRule> Rules => _rules;

    public IReadOnlyDictionary<string, RuleContext> Contexts { get; }

    /// <summary>Every match of every rule of the given kinds, in reading order.</summary>
    public List<RuleMatch> Find(string text, Func<RuleKind, bool> wanted)
    {
        Dictionary<int, (int From, int To)>? windows = null;
        _scanner.Scan(text, (number, end) =>
        {
            var (pattern, rule) = _patterns[number];
            if (!wanted(rule.Kind))
            {
                return;
            }

            windows ??= [];
            var from = Math.Max(0, end - pattern.LongestMatch);
            var to = Math.Min(text.Length, end + pattern.LongestMatch);
            windows[number] = windows.TryGetValue(number, out var old) ? (Math.Min(old.From, from), Math.Max(old.To, to)) : (from, to);
        });

        var matches = new List<RuleMatch>();
        foreach (var (number, (from, to)) in windows ?? [])
        {
            var (pattern, rule) = _patterns[number];
            foreach (var match in pattern.Expression.EnumerateMatches(text.AsSpan(0, Math.Min(text.Length, to + LookaheadMargin)), from))
            {
                if (match.Index > to)
                {
                    break;
                }

                if (match.Length > 0)
                {
                    matches.Add(new RuleMatch(rule, match.Index, match.Length));
                }
            }
        }

        matches.Sort((a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : b.Length.CompareTo(a.Length));
        return matches;
    }

    private static IEnumerable<KeyValuePair<YamlNode, YamlNode>> Mapping(YamlMappingNode file, string key) =>
        file.Children.TryGetValue(key, out var value) ? ((YamlMappingNode)value).Children : [];

    private static RuleContext ReadContext(YamlMappingNode node, PatternSyntax syntax)
    {
        Regex? Join(string key, string format) => node.Strings(key).ToList() is { Count: > 0 } list
            ? new Regex(string.Format(CultureInfo.InvariantCulture, format, string.Join('|', list.Select(syntax.Expression))), RegexOptions.CultureInvariant)
            : null;
        return new RuleContext(Join("before", "(?:{0})$"), Join("near", "{0}"), Join("message", "{0}"), Join("cancelledBy", "{0}"));
    }

    private void Add(YamlMappingNode node, PatternSyntax syntax)
    {
        var id = node.Text("id") ?? throw new FormatException("A rule has no id.");
        var kind = Enum.Parse<RuleKind>(node.Text("kind") ?? "Risk", ignoreCase: true);
        var tier = Enum.Parse<Tier>(node.Text("tier") ?? "T0");
        var not = node.Strings("not").Select(syntax.Expression).ToList();
        var rule = new PatternRule(id, kind, tier, double.Parse(node.Text("score") ?? DefaultScore(tier), CultureInfo.InvariantCulture))
        {
            Unless = [.. node.Strings("unless")],
            With = [.. node.Strings("with")],
            Anyone = node.Text("anyone") == "true",
            Otherwise = Enum.Parse<Tier>(node.Text("otherwise") ?? "T0"),
            Not = not.Count == 0 ? null : new Regex(string.Join('|', not), RegexOptions.CultureInvariant),
        };
        if (rule.Unless.FirstOrDefault(c => !Contexts.ContainsKey(c)) is { } unknown)
        {
            throw new FormatException($"The rule {id} names the unknown context {unknown}.");
        }

        _rules.Add(rule);
        foreach (var source in node.Strings("patterns"))
        {
            _patterns.Add((syntax.Compile(source), rule));
        }
    }

    private static string DefaultScore(Tier tier) => tier switch
    {
        Tier.T0 => "0.02",
        Tier.T1 => "0.3",
        Tier.T2 => "0.8",
        Tier.T3 => "0.93",
        Tier.T4 => "0.98",
        Tier.TO => "0.9",
        Tier.TA => "0.85",
        _ => "0.3",
    };
}

/// <summary>
/// Circumstances that excuse a match: words just before it, in its sentence, or anywhere in the message; and words that cancel the excuse.
/// </summary>
internal sealed record RuleContext(Regex? Before, Regex? Near, Regex? Message, Regex? CancelledBy)
{
    public bool Excuses(string text, string clauseBefore, string sentence)
    {
        var applies = Before?.IsMatch(clauseBefore) == true || Near?.IsMatch(sentence) == true || Message?.IsMatch(text) == true;
        return applies && CancelledBy?.IsMatch(text) != true;
    }
}
