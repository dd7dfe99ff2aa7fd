using System.Text;
using System.Text.RegularExpressions;

namespace PsyLite.Agent.Risk.Patterns;

/// <summary>
/// A compiled pattern: the words of which at least one must occur, its longest match in characters, and the expression, which is null when
/// the words are all that the pattern can match and finding one is all there is to do.
/// </summary>
internal sealed record CompiledPattern(string Source, IReadOnlyList<string> Anchors, int LongestMatch, TieredRegex? Expression);

/// <summary>
/// The small language of the rule files: literal words, (a|b), [ab], [^ab], a trailing ? for "or nothing", + for one to four and
/// * for none to four of them, &lt;name&gt; for a word list, ~ for up to 4 characters and ~~ for up to 14 within a sentence, ^ and $ for the edges of a clause, ^^ and $$ for the edges of the
/// message, . for any character, (?!…), (?=…), (?&lt;!…), (?&lt;=…) as in regular expressions.
/// Each pattern is turned into a regular expression and the set of words without which it cannot match.
/// </summary>
internal sealed class PatternSyntax(IReadOnlyDictionary<string, string> words, Func<char, string> fold)
{
    private readonly CompileQueue _queue = new();

    private const int ShortGap = 4;
    private const int LongGap = 14;
    private const int MostRepeats = 4;

    /// <summary>Longest list of words that a part of a pattern is multiplied out to.</summary>
    private const int MostWords = 64;
    private const string Everyday = "的一是不了我在有人这他你来到说们去就要想会也都能还好没很得着过下上个大时可以后那什么自己真天家死活走吃";
    private const string InSentence = "[^。!?\\n]";
    private const string ClauseEdge = "[^。!?\\n,、;:… .~\"“”'()\\-]";

    /// <summary>One pattern for each alternative of <paramref name="source"/>, so that each is tried only where its own words occur.</summary>
    public IEnumerable<CompiledPattern> Compile(string source)
    {
        var expanded = Expand(source, 0);
        for (var at = 0; at <= expanded.Length; at++)
        {
            var node = ParseSequence(expanded, ref at);
            node = node.Exact is { } words && !words.Contains("") ? node with { Anchors = words } : node;
            if (at < expanded.Length && expanded[at] == ')')
            {
                throw new FormatException($"The pattern '{source}' has a stray ')'.");
            }

            if (node.Anchors is null or { Count: 0 })
            {
                throw new FormatException($"The pattern '{source}' has a part without a word that must occur; rules may not match everything.");
            }

            // Expressions are built when first needed: most messages need a handful of the thousands.
            var expression = node is { Exact: not null, HasLookaround: false } ? null : new TieredRegex(node.Expression, _queue);
            yield return new CompiledPattern(source, node.Anchors, node.Longest, expression);
        }
    }

    /// <summary>Words of which one must occur where the pattern matches.</summary>
    public IEnumerable<string> Openings(string source) => Compile(source).SelectMany(p => p.Anchors);

    /// <summary>An expression that is compiled once it is used often.</summary>
    public TieredRegex Tiered(string expression) => new(expression, _queue);

    /// <summary>The plain expression of a context pattern, which needs no anchors.</summary>
    public string Expression(string source)
    {
        var at = 0;
        return ParseAlternatives(Expand(source, 0), ref at).Expression;
    }

    private string Expand(string source, int depth)
    {
        if (depth > 8)
        {
            throw new FormatException($"The word lists in '{source}' refer to each other in a circle.");
        }

        return Regex.Replace(source, "<([^<>=!]+)>", m => words.TryGetValue(m.Groups[1].Value, out var list)
            ? $"({Expand(list, depth + 1)})"
            : throw new FormatException($"The pattern '{source}' names the unknown word list <{m.Groups[1].Value}>."));
    }

    private Node ParseAlternatives(string text, ref int at)
    {
        var options = new List<Node> { ParseSequence(text, ref at) };
        while (at < text.Length && text[at] == '|')
        {
            at++;
            options.Add(ParseSequence(text, ref at));
        }

        if (options.Count == 1)
        {
            return options[0];
        }

        return new Node($"(?:{string.Join('|', options.Select(o => o.Expression))})", options.Max(o => o.Longest))
        {
            Exact = Union(options.Select(o => o.Exact)),
            Anchors = options.All(o => o.Anchors is not null) ? [.. options.SelectMany(o => o.Anchors!).Distinct()] : null,
            HasLookaround = options.Any(o => o.HasLookaround),
        };
    }

    /// <summary>
    /// Reads atoms in a row. Neighbours that can only be certain words are multiplied out, which gives longer and rarer words to look for.
    /// </summary>
    private Node ParseSequence(string text, ref int at)
    {
        var expression = new StringBuilder();
        List<string>? best = null;
        List<string> run = [""];
        var (longest, isExact, hasLookaround) = (0, true, false);
        while (at < text.Length && text[at] is not ('|' or ')'))
        {
            var atom = Repeated(ParseAtom(text, ref at), text, ref at);
            expression.Append(atom.Expression);
            longest += atom.Longest;
            hasLookaround |= atom.HasLookaround;
            if (atom.Exact is { } words && run.Count * words.Count <= MostWords)
            {
                run = [.. from left in run from right in words select left + right];
                continue;
            }

            best = Rarer(Rarer(best, run), atom.Anchors);
            isExact = false;
            run = atom.Exact ?? [""];
        }

        return new Node(expression.ToString(), longest)
        {
            Exact = isExact ? [.. run.Distinct()] : null,
            Anchors = Rarer(best, run),
            HasLookaround = hasLookaround,
        };
    }

    private static Node Repeated(Node atom, string text, ref int at)
    {
        if (at >= text.Length || text[at] is not ('?' or '*' or '+'))
        {
            return atom;
        }

        var repeat = text[at++];
        var count = repeat switch { '?' => "?", '*' => $"{{0,{MostRepeats}}}", _ => $"{{1,{MostRepeats}}}" };
        return new Node($"(?:{atom.Expression}){count}", atom.Longest * (repeat == '?' ? 1 : MostRepeats))
        {
            Exact = repeat == '?' && atom.Exact is { } words ? [.. words.Append("").Distinct()] : null,
            Anchors = repeat == '+' ? atom.Anchors : null,
            HasLookaround = atom.HasLookaround,
        };
    }

    private Node ParseAtom(string text, ref int at)
    {
        switch (text[at])
        {
            case '(' when at + 1 < text.Length && text[at + 1] == '?':
                return ParseLookaround(text, ref at);
            case '(':
                at++;
                var inner = ParseAlternatives(text, ref at);
                if (at >= text.Length)
                {
                    throw new FormatException($"The pattern '{text}' lacks a ')'.");
                }

                at++;
                return inner with { Expression = $"(?:{inner.Expression})" };
            case '[':
                var close = text.IndexOf(']', at);
                var set = text[(at + 1)..close];
                at = close + 1;
                var negated = set[0] == '^';
                var members = string.Concat((negated ? set[1..] : set).Select(fold));
                var expression = $"[{(negated ? "^" : "")}{members.Replace("\\", "\\\\").Replace("]", "\\]")}]";
                List<string>? letters = negated || members.Contains('-') ? null : [.. members.Select(c => c.ToString()).Distinct()];
                return new Node(expression, 1) { Exact = letters, Anchors = letters };
            case '~':
                var isLong = at + 1 < text.Length && text[at + 1] == '~';
                at += isLong ? 2 : 1;
                var most = isLong ? LongGap : ShortGap;
                return new Node($"{InSentence}{{0,{most}}}?", most);
            case '^':
                var isStart = at + 1 < text.Length && text[at + 1] == '^';
                at += isStart ? 2 : 1;
                return Edge(isStart ? "(?<=^[ \"“]*)" : $"(?<!{ClauseEdge})");
            case '$':
                var isEnd = at + 1 < text.Length && text[at + 1] == '$';
                at += isEnd ? 2 : 1;
                return Edge(isEnd ? $"(?!.*{ClauseEdge})" : $"(?!{ClauseEdge})");
            case '.':
                at++;
                return new Node(InSentence, 1);
            default:
                var folded = fold(text[at++]);
                return new Node(Regex.Escape(folded), folded.Length) { Exact = [folded], Anchors = [folded] };
        }
    }

    private Node ParseLookaround(string text, ref int at)
    {
        var depth = 0;
        var end = at;
        do
        {
            depth += text[end] switch { '(' => 1, ')' => -1, _ => 0 };
            end++;
        }
        while (depth > 0 && end < text.Length);

        var opening = text[at + 2] == '<' ? 4 : 3;
        var inside = text[(at + opening)..(end - 1)];
        var start = 0;
        var node = ParseAlternatives(inside, ref start);
        var expression = $"{text[at..(at + opening)]}{node.Expression})";
        at = end;
        return Edge(expression);
    }

    /// <summary>A condition on the place: it takes no characters, so the words around it stay neighbours.</summary>
    private static Node Edge(string expression) => new(expression, 0) { Exact = [""], HasLookaround = true };

    private static List<string>? Union(IEnumerable<List<string>?> sets)
    {
        var all = new List<string>();
        foreach (var set in sets)
        {
            if (set is null || all.Count + set.Count > MostWords)
            {
                return null;
            }

            all.AddRange(set);
        }

        return [.. all.Distinct()];
    }

    /// <summary>The set of words that fewer messages will hold.</summary>
    private static List<string>? Rarer(List<string>? left, List<string>? right)
    {
        right = right is null || right.Contains("") ? null : right;
        return left is null || right is null ? left ?? right : left.Sum(Commonness) <= right.Sum(Commonness) ? left : right;
    }

    /// <summary>Rough chance of meeting the word at a place: everyday characters are twenty times as frequent as others.</summary>
    private static double Commonness(string word) =>
        word.Aggregate(1.0, (chance, c) => chance * (Everyday.Contains(c) ? 0.02 : char.IsAsciiLetter(c) || c == ' ' ? 0.05 : 0.001));

    private sealed record Node(string Expression, int Longest)
    {
        /// <summary>All that the node can match; null when that is not a short list.</summary>
        public List<string>? Exact { get; init; }

        /// <summary>Words of which one must occur; null when there are none.</summary>
        public List<string>? Anchors { get; init; }

        public bool HasLookaround { get; init; }
    }
}
