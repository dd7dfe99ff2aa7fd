using System.Text.RegularExpressions;

namespace PsyLite.Agent.Crisis;

/// <summary>
/// Whose help lines fit: what the host says, else the region of the language tag, else where the person says they are, else the script.
/// A place that nobody knows gets the international finder, never a guess.
/// </summary>
internal static partial class RegionOf
{
    private static readonly (Regex Place, string Region)[] Places =
    [
        (HongKong(), "HK"), (Taiwan(), "TW"), (Macau(), "MO"), (Singapore(), "SG"), (Britain(), "GB"), (America(), "US"),
        (Mainland(), "CN"), (Elsewhere(), HotlineDirectory.Anywhere),
    ];

    public static string Choose(TurnRequest request, string recentText, string language, bool isTraditional, HotlineDirectory directory)
    {
        if (Listed(request.Region, directory) is { } set)
        {
            return set;
        }

        if (Listed(Subtag(request.Language), directory) is { } tagged)
        {
            return tagged;
        }

        request.State.Region = Said(recentText) ?? request.State.Region;
        return request.State.Region ?? Script(language, isTraditional);
    }

    /// <summary>The place where the writer says they are; the newest mention counts.</summary>
    internal static string? Said(string text) => Places
        .SelectMany(p => p.Place.Matches(text).Select(m => (m.Index, p.Region)))
        .OrderBy(m => m.Index).Select(m => m.Region).LastOrDefault();

    /// <summary>A country that the directory does not list is still known to be another country.</summary>
    private static string? Listed(string? region, HotlineDirectory directory)
    {
        if (string.IsNullOrWhiteSpace(region))
        {
            return null;
        }

        var code = region.Trim().ToUpperInvariant();
        code = code == "UK" ? "GB" : code;
        return directory.HasRegion(code) ? code : HotlineDirectory.Anywhere;
    }

    private static string? Subtag(string? tag) => tag?.Split('-', '_') is [_, .. var rest]
        ? rest.FirstOrDefault(p => p.Length == 2 && p.All(char.IsAsciiLetter))
        : null;

    /// <summary>Cantonese in simplified characters is written in Guangdong, in traditional ones mostly in Hong Kong.</summary>
    private static string Script(string language, bool isTraditional) => language switch
    {
        "zh-TW" => "TW",
        "yue" => isTraditional ? "HK" : "CN",
        "zh-CN" => "CN",
        _ => HotlineDirectory.Anywhere,
    };

    private const string Zh = "我(?:们|們|一个|一個|自己|人|现在|現在|而家|目前|刚|剛|家|正|就)*(?:在|住在?|喺|来到?|來到?|到了?|搬到|搬去|去了|嚟咗?)(?:了|咗)?(?:";
    private const string En = ")|\\bI(?:'m|’m| am| live| study| work|'ve moved| moved)\\b[^.!?\\n]{0,24}\\b(?:in|to|from|at)\\s+(?:the\\s+)?(?:";

    [GeneratedRegex(Zh + "香港|九龙|九龍|新界" + En + "hong kong|kowloon)", RegexOptions.IgnoreCase)]
    private static partial Regex HongKong();

    [GeneratedRegex(Zh + "台湾|台灣|臺灣|台北|臺北|高雄|台中|臺中|台南|新竹" + En + "taiwan|taipei|kaohsiung)", RegexOptions.IgnoreCase)]
    private static partial Regex Taiwan();

    [GeneratedRegex(Zh + "澳门|澳門" + En + "maca[uo])", RegexOptions.IgnoreCase)]
    private static partial Regex Macau();

    [GeneratedRegex(Zh + "新加坡|狮城" + En + "singapore)", RegexOptions.IgnoreCase)]
    private static partial Regex Singapore();

    [GeneratedRegex(Zh + "英国|英國|伦敦|倫敦|曼彻斯特|爱丁堡" + En + "uk|u\\.k\\.|united kingdom|britain|england|scotland|wales|london|manchester|edinburgh|glasgow)\\b", RegexOptions.IgnoreCase)]
    private static partial Regex Britain();

    [GeneratedRegex(Zh + "美国|美國|纽约|紐約|洛杉矶|洛杉磯|波士顿|旧金山|西雅图|芝加哥" + En + "us|u\\.s\\.|usa|states|america|new york|california|texas|boston|chicago|seattle)\\b", RegexOptions.IgnoreCase)]
    private static partial Regex America();

    [GeneratedRegex(Zh + "大陆|大陸|内地|內地|国内|北京|上海|广州|廣州|深圳|成都|武汉|杭州|南京|重庆|西安" + En + "china|beijing|shanghai|guangzhou|shenzhen)\\b", RegexOptions.IgnoreCase)]
    private static partial Regex Mainland();

    [GeneratedRegex(Zh + "日本|韩国|韓國|加拿大|澳洲|澳大利亚|新西兰|德国|德國|法国|法國|意大利|西班牙|荷兰|马来西亚|馬來西亞|泰国|越南|国外|國外|海外" + En + "canada|australia|new zealand|germany|france|italy|spain|japan|korea|india|ireland|malaysia|thailand|south africa)\\b", RegexOptions.IgnoreCase)]
    private static partial Regex Elsewhere();
}
