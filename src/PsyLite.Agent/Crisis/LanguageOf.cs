using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>Which of the four preset languages a message is written in.</summary>
internal static class LanguageOf
{
    private const string CantoneseOnly = "唔冇嘅咗喺佢嚟嘢咁啲攰瞓乜諗谂嗰咩";

    public static string Text(string text, TextNormaliser normaliser)
    {
        int han = 0, latin = 0, traditional = 0, cantonese = 0;
        foreach (var c in text)
        {
            if (TextNormaliser.IsHan(c))
            {
                han++;
                traditional += normaliser.IsTraditional(c) ? 1 : 0;
                cantonese += CantoneseOnly.Contains(c) ? 1 : 0;
            }
            else if (char.IsAsciiLetter(c))
            {
                latin++;
            }
        }

        return cantonese > 0 && (cantonese > 1 || traditional > 0 || han < 16) ? "yue"
            : traditional >= 2 || (traditional == 1 && han <= 8) ? "zh-TW"
            : han == 0 && latin >= 4 ? "en"
            : latin > 4 * han && latin > 12 ? "en"
            : "zh-CN";
    }

    /// <summary>The preset language for a BCP 47 tag; null for a tag of another language.</summary>
    public static string? Tag(string? tag) => tag?.ToLowerInvariant() switch
    {
        null or "" => null,
        "yue" or "zh-hk" or "zh-mo" or "yue-hk" or "zh-hant-hk" => "yue",
        "zh-tw" or "zh-hant" or "zh-hant-tw" => "zh-TW",
        var t when t.StartsWith("zh", StringComparison.Ordinal) => "zh-CN",
        var t when t.StartsWith("en", StringComparison.Ordinal) => "en",
        _ => null,
    };
}
