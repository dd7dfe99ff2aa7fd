using System.Text;
using System.Text.RegularExpressions;
using PsyLite.Agent.Crisis;

namespace PsyLite.Agent.Guard;

/// <summary>What the guard decided about the text so far: words that may be shown, or the rule that was broken.</summary>
internal readonly record struct GuardVerdict(string Safe, GuardRule? Broken);

/// <summary>
/// Reads a reply while it streams and holds back the last characters, so that a forbidden phrase is seen whole before any of
/// it is shown. One instance serves one reply.
/// </summary>
internal sealed partial class ReplyGuard(HotlineDirectory hotlines, IReadOnlyList<GuardRule> rules)
{
    /// <summary>Characters held back; the rules' phrases are shorter, and a reader does not notice the delay.</summary>
    public const int Window = 24;

    /// <summary>Characters before the unshown part that a rule may still need to see.</summary>
    private const int Lookback = 64;
    private static readonly GuardRule Number = new("guard.number", "guard.number", PhoneNumber());
    private readonly StringBuilder _text = new();
    private int _shown;

    /// <summary>Everything that was let through.</summary>
    public string Shown => _text.ToString(0, _shown);

    public GuardVerdict Add(string delta)
    {
        _text.Append(delta);
        return Release(_text.Length - Window);
    }

    /// <summary>The reply is over: lets the rest through if it is clean.</summary>
    public GuardVerdict Finish() => Release(_text.Length);

    private GuardVerdict Release(int upTo)
    {
        var from = Math.Max(0, _shown - Lookback);
        var text = _text.ToString(from, _text.Length - from);
        var isOver = upTo == _text.Length;
        if (rules.FirstOrDefault(rule => Breaks(rule, text, isOver)) is { } broken)
        {
            return new GuardVerdict("", broken);
        }

        foreach (Match number in PhoneNumber().Matches(text))
        {
            var isWhole = isOver || number.Index + number.Length < text.Length;
            if (isWhole && !hotlines.Knows(number.Value))
            {
                return new GuardVerdict("", Number);
            }
        }

        if (upTo <= _shown)
        {
            return new GuardVerdict("", null);
        }

        // A surrogate pair or a run of digits is shown whole or not at all.
        while (!isOver && upTo > _shown && (char.IsLowSurrogate(_text[upTo]) || char.IsAsciiDigit(_text[upTo])))
        {
            upTo--;
        }

        var safe = _text.ToString(_shown, upTo - _shown);
        _shown = upTo;
        return new GuardVerdict(safe, null);
    }

    /// <summary>A phrase at the very end may still turn into a harmless one with the next word; it is in the window, so nobody sees it yet.</summary>
    private static bool Breaks(GuardRule rule, string text, bool isOver)
    {
        var match = rule.Pattern.Match(text);
        return match.Success && (isOver || match.Index + match.Length < text.Length || match.Length > Window);
    }

    /// <summary>Digits that a reader would dial: after a word of calling, or shaped like a phone number.</summary>
    [GeneratedRegex("(?<=(?:热线|电话|拨打?|打给|致电|联系|hotline|call)[^0-9。！？\\n]{0,8})[0-9][0-9 \\-]{1,14}[0-9](?![0-9年月日点分个元天次小块岁人页步万千倍%])|(?<![0-9.])(?:400|800)[- ]?[0-9]{3}[- ]?[0-9]{4}(?![0-9])|(?<![0-9.])0[0-9]{2,3}[- ][0-9]{7,8}(?![0-9])|(?<![0-9.])1[3-9][0-9]{9}(?![0-9])|(?<![0-9.])(?:12[0-9]{3}|96[0-9]{3})(?![0-9.年元个])", RegexOptions.CultureInvariant)]
    private static partial Regex PhoneNumber();
}
