using System.Text.RegularExpressions;

namespace PsyLite.Training.Data.Records;

/// <summary>
/// Takes out what leads to a person: mobile and landline numbers, identity cards, e-mail, WeChat and QQ names, bank cards. Help lines
/// (12356, 110, 400-…) stay: their shapes are not those of a person's number.
/// </summary>
public static partial class PersonalData
{
    private static readonly int[] IdentityWeights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

    /// <returns>The text with what was found replaced, and how many places that were.</returns>
    public static (string Text, int Found) Scrub(string text)
    {
        var found = 0;
        string Put(string name)
        {
            found++;
            return name;
        }

        if (!MayHold().IsMatch(text))
        {
            return (text, 0);
        }

        text = Email().Replace(text, _ => Put("【邮箱】"));
        text = Identity().Replace(text, m => IsIdentity(m.Value) ? Put("【身份证号】") : m.Value);
        text = Card().Replace(text, m => IsCard(m.Value) ? Put("【银行卡号】") : m.Value);
        text = Mobile().Replace(text, _ => Put("【电话】"));
        text = Landline().Replace(text, _ => Put("【电话】"));
        text = WeChat().Replace(text, m => $"{m.Groups[1].Value}{Put("【微信号】")}");
        text = Qq().Replace(text, m => $"{m.Groups[1].Value}{Put("【QQ号】")}");
        return (text, found);
    }

    /// <summary>GB 11643: seventeen digits, a birthday among them, and a check character modulo 11.</summary>
    private static bool IsIdentity(string number)
    {
        var sum = 0;
        for (var i = 0; i < 17; i++)
        {
            sum += (number[i] - '0') * IdentityWeights[i];
        }

        return "10X98765432"[sum % 11] == char.ToUpperInvariant(number[17]);
    }

    /// <summary>Luhn's check digit.</summary>
    private static bool IsCard(string text)
    {
        var (sum, place) = (0, 0);
        for (var i = text.Length - 1; i >= 0; i--)
        {
            if (char.IsAsciiDigit(text[i]))
            {
                var digit = (text[i] - '0') * (place++ % 2 == 0 ? 1 : 2);
                sum += digit > 9 ? digit - 9 : digit;
            }
        }

        return place is >= 16 and <= 19 && sum % 10 == 0;
    }

    [GeneratedRegex("[0-9@]|微信|vx|weixin|wechat|wx", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex MayHold();

    [GeneratedRegex(@"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}", RegexOptions.CultureInvariant)]
    private static partial Regex Email();

    [GeneratedRegex(@"(?<![0-9])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex Identity();

    [GeneratedRegex(@"(?<![0-9])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?(?![0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex Card();

    [GeneratedRegex(@"(?<![0-9])(?:\+?86[- ]?)?1[3-9][0-9](?:[- ]?[0-9]{4}){2}(?![0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex Mobile();

    [GeneratedRegex(@"(?<![0-9])\(?0(?:10|2[0-9]|[3-9][0-9]{2})\)?[- ]?[2-8][0-9]{6,7}(?![0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex Landline();

    [GeneratedRegex(@"((?:微信号?|[vV][xX]|weixin|wechat|wx)(?:号|id|ID)?\s*(?:是|为|：|:|加|=)?\s*)[A-Za-z][A-Za-z0-9_-]{5,19}", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex WeChat();

    [GeneratedRegex(@"((?:QQ|扣扣|企鹅)(?:号|群)?码?\s*(?:是|为|：|:|加|=)?\s*)[1-9][0-9]{4,10}(?![0-9])", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Qq();
}
