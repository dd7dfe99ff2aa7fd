using System.Buffers;
using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace PsyLite.Agent.Risk.Patterns;

/// <summary>All rules of the embedded YAML files, compiled. Immutable and safe to share between conversations.</summary>
internal sealed class RuleBook
{
    /// <summary>Characters behind a window that a lookahead may still need.</summary>
    private const int LookaheadMargin = 32;

    /// <summary>Matches of one pattern that are weighed; a message that says the same a hundred times is no clearer for it.</summary>
    private const int MostMatches = 12;
    private readonly List<PatternRule> _rules = [];
    private readonly List<(CompiledPattern Pattern, PatternRule Rule)> _patterns = [];
    private readonly Dictionary<string, Wording> _contexts = [];
    private readonly (int Pattern, int Length)[] _anchors;
    private readonly AnchorScanner _scanner;

    /// <summary>The rules of <paramref name="files"/>; of the embedded files when none are given.</summary>
    public RuleBook(TextNormaliser normaliser, IReadOnlyList<YamlMappingNode>? files = null)
    {
        files ??= [.. EmbeddedText.Names("Rules.").Select(EmbeddedText.ReadYaml)];
        var words = files.SelectMany(f => Mapping(f, "words"))
            .ToDictionary(w => ((YamlScalarNode)w.Key).Value!, w => ((YamlScalarNode)w.Value).Value!);
        var syntax = new PatternSyntax(words, normaliser.FoldPatternChar);
        foreach (var (name, node) in files.SelectMany(f => Mapping(f, "contexts")))
        {
            AddContext(((YamlScalarNode)name).Value!, (YamlMappingNode)node, syntax);
        }

        foreach (var node in files.Where(f => f.Children.ContainsKey("rules")).SelectMany(f => (YamlSequenceNode)f["rules"]))
        {
            AddRule((YamlMappingNode)node, syntax);
        }

        _anchors = [.. _patterns.SelectMany((p, number) => p.Pattern.Anchors.Select(a => (number, a.Length)))];
        _scanner = new AnchorScanner(_patterns.SelectMany(p => p.Pattern.Anchors).Select((word, number) => (word, number)));
    }

    public IReadOnlyList<PatternRule> Rules => _rules;

    public IEnumerable<CompiledPattern> Patterns => _patterns.Select(p => p.Pattern);

    /// <summary>Builds every expression; some tenths of a second for the embedded rules, safe beside readers.</summary>
    public void Prepare()
    {
        foreach (var (pattern, _) in _patterns)
        {
            pattern.Expression?.Prepare();
        }

        foreach (var wording in _contexts.Values)
        {
            wording.Before?.Prepare();
            wording.Inside?.Prepare();
        }
    }

    /// <summary>Every match in reading order, longer ones first; circumstances and masks only when asked for.</summary>
    public List<RuleMatch> Find(string text, bool withCircumstances)
    {
        var hits = new List<(int Number, int End)>();
        _scanner.Scan(text, hits);
        var matches = new List<RuleMatch>();

        // Numbers of one pattern's words follow one another, so sorting brings the hits of a pattern together.
        hits.Sort();
        for (var i = 0; i < hits.Count;)
        {
            var number = _anchors[hits[i].Number].Pattern;
            var (pattern, rule) = _patterns[number];
            var isWanted = withCircumstances || !(rule.IsCircumstance || rule.Kind == RuleKind.Mask);
            var (firstEnd, lastEnd, count) = (int.MaxValue, 0, 0);
            for (; i < hits.Count && _anchors[hits[i].Number].Pattern == number; i++)
            {
                var (anchor, end) = hits[i];
                (firstEnd, lastEnd) = (Math.Min(firstEnd, end), Math.Max(lastEnd, end));
                if (isWanted && pattern.Expression is null && ++count <= MostMatches)
                {
                    matches.Add(new RuleMatch(rule, end - _anchors[anchor].Length, _anchors[anchor].Length));
                }
            }

            if (isWanted && pattern.Expression is not null)
            {
                Match(text, pattern, rule, firstEnd, lastEnd, matches);
            }
        }

        matches.Sort(static (a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : b.Length.CompareTo(a.Length));
        return matches;
    }

    /// <summary>True when the named context's wording stands right before a match or within it.</summary>
    public bool IsWordedAs(string context, ReadOnlySpan<char> clauseBefore, ReadOnlySpan<char> match) =>
        _contexts[context] is { } wording
        && ((wording.Before is { } before && clauseBefore.ContainsAny(wording.Words) && before.Value.IsMatch(clauseBefore))
            || (wording.Inside is { } inside && match.ContainsAny(wording.Words) && inside.Value.IsMatch(match)));

    private static void Match(string text, CompiledPattern pattern, PatternRule rule, int firstEnd, int lastEnd, List<RuleMatch> matches)
    {
        var from = Math.Max(0, firstEnd - pattern.LongestMatch);
        var to = Math.Min(text.Length, lastEnd + pattern.LongestMatch + LookaheadMargin);
        var count = 0;
        foreach (var match in pattern.Expression!.Value.EnumerateMatches(text.AsSpan(0, to), from))
        {
            if (match.Length > 0)
            {
                matches.Add(new RuleMatch(rule, match.Index, match.Length));
                if (++count == MostMatches)
                {
                    return;
                }
            }
        }
    }

    private static IEnumerable<KeyValuePair<YamlNode, YamlNode>> Mapping(YamlMappingNode file, string key) =>
        file.Children.TryGetValue(key, out var value) ? ((YamlMappingNode)value).Children : [];

    private void AddContext(string name, YamlMappingNode node, PatternSyntax syntax)
    {
        TieredRegex? Join(string key, string end) => node.Strings(key).ToList() is { Count: > 0 } list
            ? syntax.Tiered($"(?:{string.Join('|', list.Select(syntax.Expression))}){end}")
            : null;
        var words = node.Strings("before").Concat(node.Strings("inside")).SelectMany(syntax.Openings).Distinct().ToArray();
        _contexts.Add(name, new Wording(Join("before", "$"), Join("inside", ""), SearchValues.Create(words, StringComparison.Ordinal)));
        AddPatterns(node, "near", new PatternRule(name, RuleKind.Near, Tier.T0, 0), syntax);
        AddPatterns(node, "message", new PatternRule(name, RuleKind.Anywhere, Tier.T0, 0), syntax);
        AddPatterns(node, "cancelledBy", new PatternRule(name, RuleKind.Cancels, Tier.T0, 0), syntax);
    }

    private void AddRule(YamlMappingNode node, PatternSyntax syntax)
    {
        var id = node.Text("id") ?? throw new FormatException("A rule has no id.");
        var kind = Enum.Parse<RuleKind>(node.Text("kind") ?? "Risk", ignoreCase: true);
        var tier = Enum.Parse<Tier>(node.Text("tier") ?? "T0");
        var rule = new PatternRule(id, kind, tier, double.Parse(node.Text("score") ?? DefaultScore(tier), CultureInfo.InvariantCulture))
        {
            Unless = [.. node.Strings("unless")],
            With = [.. node.Strings("with")],
            Anyone = node.Text("anyone") == "true",
            Otherwise = Enum.Parse<Tier>(node.Text("otherwise") ?? "T0"),
            HasNot = node.Children.ContainsKey("not"),
        };
        if (rule.Unless.FirstOrDefault(c => !_contexts.ContainsKey(c)) is { } unknown)
        {
            throw new FormatException($"The rule {id} names the unknown context {unknown}.");
        }

        _rules.Add(rule);
        AddPatterns(node, "patterns", rule, syntax);
        AddPatterns(node, "not", new PatternRule(id, RuleKind.Not, Tier.T0, 0), syntax);
    }

    private void AddPatterns(YamlMappingNode node, string key, PatternRule rule, PatternSyntax syntax)
    {
        foreach (var pattern in node.Strings(key).SelectMany(syntax.Compile))
        {
            _patterns.Add((pattern, rule));
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

    /// <summary>
    /// The part of a context that is read off the words next to a match. <paramref name="Words"/> are those without which it cannot apply.
    /// </summary>
    private sealed record Wording(TieredRegex? Before, TieredRegex? Inside, SearchValues<string> Words);
}
