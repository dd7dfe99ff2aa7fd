using System.Text;
using System.Text.RegularExpressions;

namespace PsyLite.Agent.Risk.Patterns;

/// <summary>A compiled pattern: the expression, the words of which at least one must occur, and its longest match in characters.</summary>
internal sealed record CompiledPattern(string Source, Regex Expression, IReadOnlyList<string> Anchors, int LongestMatch);

/// <summary>
/// The small language of the rule files: literal words, (a|b), [ab], [^ab], a trailing ? for "or nothing", + for one to four and
/// * for none to four of them, &lt;name&gt; for a word list, ~ for up to 4 characters and ~~ for up to 14 within a sentence, ^ and $ for the edges of a clause, ^^ and $$ for the edges of the
/// message, . for any character, (?!…), (?=…), (?&lt;!…), (?&lt;=…) as in regular expressions.
/// Each pattern is turned into a regular expression and the set of words without which it cannot match.
/// </summary>
internal sealed class PatternSyntax(IReadOnlyDictionary<string, string> words, Func<char, string> fold)
{
    private const int ShortGap = 4;
    private const int LongGap = 14;
    private const int MostRepeats = 4;
    private const string InSentence = "[^。!?\\n]";
    private const string ClauseEdge = "[^。!?\\n,、;:… .~\"“”'()\\-]";

    public CompiledPattern Compile(string source)
    {
        var at = 0;
        var expanded = Expand(source, 0);
        var node = ParseAlternatives(expanded, ref at);
        if (at != expanded.Length)
        {
            throw new FormatException($"The pattern '{source}' has a stray ')' at {at}.");
        }

        if (node.Anchors is null or { Count: 0 })
        {
            throw new FormatException($"The pattern '{source}' has no word that must occur; rules may not match everything.");
        }

        return new CompiledPattern(source, new Regex(node.Expression, RegexOptions.CultureInvariant), node.Anchors, node.Longest);
    }

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

        var anchors = options.All(o => o.Anchors is not null) ? options.SelectMany(o => o.Anchors!).Distinct().ToList() : null;
        return new Node($"(?:{string.Join('|', options.Select(o => o.Expression))})", anchors, options.Max(o => o.Longest));
    }

    private Node ParseSequence(string text, ref int at)
    {
        var expression = new StringBuilder();
        var literal = new StringBuilder();
        List<string>? best = null;
        var longest = 0;
        while (at < text.Length && text[at] is not ('|' or ')'))
        {
            var atom = ParseAtom(text, ref at, out var isLiteral);
            if (at < text.Length && text[at] is ('?' or '*' or '+'))
            {
                var repeat = text[at++];
                best = Better(best, Take(literal));
                best = repeat == '+' ? Better(best, atom.Anchors) : best;
                expression.Append("(?:").Append(atom.Expression).Append(')').Append(repeat switch { '?' => "?", '*' => $"{{0,{MostRepeats}}}", _ => $"{{1,{MostRepeats}}}" });
                longest += atom.Longest * (repeat == '?' ? 1 : MostRepeats);
                continue;
            }

            expression.Append(atom.Expression);
            longest += atom.Longest;
            if (isLiteral)
            {
                literal.Append(atom.Anchors![0]);
                continue;
            }

            best = Better(best, Take(literal));
            best = Better(best, atom.Anchors);
        }

        best = Better(best, Take(literal));
        return new Node(expression.ToString(), best, longest);
    }

    private Node ParseAtom(string text, ref int at, out bool isLiteral)
    {
        isLiteral = false;
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
                return new Node(expression, negated || members.Contains('-') ? null : [.. members.Select(c => c.ToString()).Distinct()], 1);
            case '~':
                var isLong = at + 1 < text.Length && text[at + 1] == '~';
                at += isLong ? 2 : 1;
                var most = isLong ? LongGap : ShortGap;
                return new Node($"{InSentence}{{0,{most}}}?", null, most);
            case '^':
                var isStart = at + 1 < text.Length && text[at + 1] == '^';
                at += isStart ? 2 : 1;
                return new Node(isStart ? "(?<=^[ \"“]*)" : $"(?<!{ClauseEdge})", null, 0);
            case '$':
                var isEnd = at + 1 < text.Length && text[at + 1] == '$';
                at += isEnd ? 2 : 1;
                return new Node(isEnd ? $"(?!.*{ClauseEdge})" : $"(?!{ClauseEdge})", null, 0);
            case '.':
                at++;
                return new Node(InSentence, null, 1);
            default:
                isLiteral = true;
                var folded = fold(text[at++]);
                return new Node(Regex.Escape(folded), [folded], folded.Length);
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
        return new Node(expression, null, 0);
    }

    private static List<string>? Take(StringBuilder literal)
    {
        if (literal.Length == 0)
        {
            return null;
        }

        List<string> anchors = [literal.ToString()];
        literal.Clear();
        return anchors;
    }

    /// <summary>The set that rules out more messages: longer words first, then fewer of them.</summary>
    private static List<string>? Better(List<string>? left, List<string>? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        var (leftLength, rightLength) = (left.Min(w => w.Length), right.Min(w => w.Length));
        return leftLength != rightLength ? (leftLength > rightLength ? left : right) : (left.Count <= right.Count ? left : right);
    }

    private sealed record Node(string Expression, List<string>? Anchors, int Longest);
}
