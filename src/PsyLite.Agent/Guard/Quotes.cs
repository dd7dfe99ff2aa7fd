using System.Text.RegularExpressions;

namespace PsyLite.Agent.Guard;

/// <summary>Takes quoted words out of a sentence: what someone else said is not what the reply says.</summary>
internal static partial class Quotes
{
    private const string Open = "“「『\"";
    private const string Close = "”」』\"";

    /// <summary>
    /// <paramref name="text"/> with the inside of quotation marks blanked, each character in its place. A quotation that the speaker
    /// makes their own ("I say to you: …") stays.
    /// </summary>
    public static string Blank(string text, int from)
    {
        var blanked = text.ToCharArray();
        var begin = -1;
        for (var i = 0; i < text.Length; i++)
        {
            if (begin < 0 && Open.Contains(text[i]))
            {
                begin = i + 1;
            }
            else if (Close.Contains(text[i]))
            {
                var first = begin >= 0 ? begin : from;
                if (first < i && !Own().IsMatch(text[..Math.Max(0, first - 1)]))
                {
                    blanked.AsSpan(first, i - first).Fill('·');
                }

                begin = -1;
            }
        }

        if (begin >= 0 && !Own().IsMatch(text[..(begin - 1)]))
        {
            blanked.AsSpan(begin).Fill('·');
        }

        return new string(blanked);
    }

    [GeneratedRegex("(?<![跟对和向给])(?:我|\\bi )(?:想|要|只想|会|愿意|就|also |want to |just )?(?:对|跟|和)?你?(?:说一句|说|讲|say|tell you)[:, ]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Own();
}
