using System.Text;
using System.Text.RegularExpressions;
using PsyLite.Agent.Crisis;

namespace PsyLite.Agent.Guard;

/// <summary>What the guard decided about the text so far: words that may be shown, or the rule that was broken.</summary>
internal readonly record struct GuardVerdict(string Safe, GuardRule? Broken);

/// <summary>
/// Reads a reply while it streams. Words flow through until one comes with which something forbidden could begin; from there the sentence is
/// held back until it is whole, judged, and shown or cut. So the verdict does not depend on how the stream was split, and nothing of
/// what is cut was ever seen. One instance serves one reply.
/// </summary>
internal sealed partial class ReplyGuard(HotlineDirectory hotlines, IReadOnlyList<GuardRule> rules)
{
    /// <summary>Characters held back at the end of the stream: no word that a rule begins with is longer.</summary>
    public const int Tail = 14;

    /// <summary>Characters after which a sentence without an end is judged as it stands.</summary>
    public const int LongestSentence = 240;

    /// <summary>Characters of an endless sentence that are judged again with what follows.</summary>
    private const int Overlap = 80;
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _plain = new();
    private int _shown;
    private int _sentence;
    private int _scanned;
    private int _held = -1;
    private int _cleared;
    private bool _isCut;

    /// <summary>Everything that was let through.</summary>
    public string Shown => _text.ToString(0, _shown);

    public GuardVerdict Add(string delta)
    {
        _text.Append(delta);
        foreach (var c in delta)
        {
            _plain.Append(PlainText.Fold(c));
        }

        return Advance(isOver: false);
    }

    /// <summary>The reply is over: lets the rest through if it is clean.</summary>
    public GuardVerdict Finish() => Advance(isOver: true);

    private GuardVerdict Advance(bool isOver)
    {
        if (_isCut)
        {
            return new GuardVerdict("", null);
        }

        while (NextEnd(isOver) is { } end)
        {
            if (Broken(_sentence, end) is { } broken)
            {
                return Cut(broken);
            }

            _sentence = end;
        }

        if (_plain.Length - _sentence > LongestSentence)
        {
            if (Broken(_sentence, _plain.Length) is { } broken)
            {
                return Cut(broken);
            }

            _sentence = _plain.Length - Overlap;
        }

        return Release(isOver ? _text.Length : Safe());
    }

    private GuardVerdict Cut(GuardRule broken)
    {
        _isCut = true;
        return new GuardVerdict("", broken);
    }

    private GuardVerdict Release(int upTo)
    {
        if (upTo > 0 && upTo < _text.Length && char.IsLowSurrogate(_text[upTo]))
        {
            upTo--;
        }

        if (upTo <= _shown)
        {
            return new GuardVerdict("", null);
        }

        var safe = _text.ToString(_shown, upTo - _shown);
        _shown = upTo;
        return new GuardVerdict(safe, null);
    }

    /// <summary>The end of the sentence at <see cref="_sentence"/>, or null while it is still being said.</summary>
    private int? NextEnd(bool isOver)
    {
        for (_scanned = Math.Max(_scanned, _sentence); _scanned < _plain.Length; _scanned++)
        {
            var c = _plain[_scanned];
            var isPoint = c == '.' && _scanned + 1 < _plain.Length && char.IsWhiteSpace(_plain[_scanned + 1]);
            if (isPoint || c is '。' or '!' or '?' or '\n')
            {
                return ++_scanned;
            }
        }

        return isOver && _sentence < _plain.Length ? _plain.Length : null;
    }

    /// <summary>Up to where the unfinished sentence may be shown: to the first word with which something forbidden could begin.</summary>
    private int Safe()
    {
        if (_held >= _sentence)
        {
            return _held;
        }

        _cleared = Math.Max(_cleared, _sentence);
        var rest = _plain.ToString(_cleared, _plain.Length - _cleared);
        var first = rules.Select(r => r.Start.Match(rest)).Append(Digits().Match(rest)).Where(m => m.Success).Select(m => _cleared + m.Index).DefaultIfEmpty(int.MaxValue).Min();

        // Before the tail every such word is whole: what was found there stays the first.
        var certain = _plain.Length - Tail;
        _held = first <= certain ? first : -1;
        _cleared = Math.Max(_cleared, Math.Min(first, certain));
        return Math.Min(first, certain);
    }

    private GuardRule? Broken(int from, int to)
    {
        // What comes before the sentence is there for the rules to look back at; it was judged already.
        var start = Math.Max(0, from - Overlap);
        var text = _plain.ToString(start, to - start);
        var quoteless = Quotes.Blank(text, from - start);
        var broken = rules.FirstOrDefault(r => r.Pattern.IsMatch(r.SeesQuotes ? text : quoteless, from - start));
        return broken ?? (ForeignNumber(text, from - start, hotlines) is null ? null : GuardRule.Number);
    }

    /// <summary>Where the first number or address begins that is not in the directory; null when there is none.</summary>
    internal static int? ForeignNumber(string text, int from, HotlineDirectory hotlines)
    {
        for (var match = PhoneNumber().Match(text, from); match.Success; match = match.NextMatch())
        {
            var isPage = match.Value.Contains('.');
            if (isPage ? !hotlines.Lines.Any(l => PageOf(match.Value) == l.Number) : !hotlines.Knows(Spelled(match.Value)))
            {
                return match.Index;
            }
        }

        return null;
    }

    /// <summary>The host that an address names, without its "www.".</summary>
    private static string PageOf(string address)
    {
        var host = address[(address.IndexOf("//", StringComparison.Ordinal) is >= 0 and var at ? at + 2 : 0)..].Split('/', '?', '#', ',', ')')[0].TrimEnd('.');
        return host.StartsWith("www.", StringComparison.Ordinal) ? host[4..] : host;
    }

    private static string Spelled(string number) =>
        string.Concat(number.Select(c => "零一二三四五六七八九".IndexOf(c is '〇' ? '零' : c is '幺' ? '一' : c, StringComparison.Ordinal) is >= 0 and var digit ? (char)('0' + digit) : c));

    [GeneratedRegex("[0-9〇零幺一二三四五六七八九]|https?:|www\\.", RegexOptions.CultureInvariant)]
    private static partial Regex Digits();

    /// <summary>Digits that a reader would dial: after a word of calling, or shaped like a phone number; and addresses of pages.</summary>
    [GeneratedRegex("""
        (?<=(?:热线|电话|专线|拨打?|打给|致电|联系|号码|微信|hotline|helpline|line|call|dial|phone|text|number|whatsapp)[^0-9。!?\n]{0,12})[0-9][0-9\ -]{1,14}[0-9](?![0-9]|\ *(?:年|月|日|号(?!码)|点|分|个|元|天|次|小|块|岁|人|页|步|万|千|倍|%|遍|通|行|公里|km|times|minutes?|hours?|days?|years?|people|am|pm|words|a\.m|p\.m))
        |(?<=[打拨]\ ?)[0-9](?:[0-9\ ]{1,13})[0-9](?![0-9]|\ *(?:年|分|个|元|天|次|块|折|万|千|倍|%|遍|通|行|字))
        |(?<=(?:热线|电话|拨打?|打给|致电)[^0-9。!?\n]{0,6})[〇零幺一二三四五六七八九]{3,12}(?![个次点分天年])
        |(?<![0-9.])(?:400|800)[-\ ]?[0-9]{3}[-\ ]?[0-9]{4}(?![0-9])
        |(?<![0-9.])1[-\ ]?8[0-9]{2}[-\ ][0-9]{3}[-\ ][0-9]{4}(?![0-9])
        |(?<![0-9.])\(?[0-9]{3}\)?[-\ ][0-9]{3}-[0-9]{4}(?![0-9])
        |(?<![0-9.])0[0-9]{2,3}[-\ ][0-9]{7,8}(?![0-9])
        |(?<![0-9.])1[3-9][0-9]{9}(?![0-9])
        |(?<![0-9.])(?:12[0-9]{3}|96[0-9]{3})(?![0-9.,]|\ *(?:年|元|个|块|人|步|字|公里|米|页|天|次|steps|words|people|km|yuan|dollars))
        |https?://[^\s]+|(?<![a-z])www\.[a-z0-9.-]+
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex PhoneNumber();
}
