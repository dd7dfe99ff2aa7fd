using System.Text;
using System.Text.RegularExpressions;

namespace PsyLite.Agent.Humour;

/// <summary>
/// What keeps a piece out: wrong form, a theme that could hurt someone who came for help, or text that is more than text (markup, links,
/// terminal codes, orders to a model). The same vetting for our own pieces, for imports, and again for what comes back from an index.
/// </summary>
public static partial class CrosstalkVetting
{
    private const int FewestLines = 4;
    private const int MostLines = 80;
    private const int LongestLine = 400;
    private const int LongestTag = 24;
    private const int MostTags = 16;

    /// <summary>The reason why the piece may not be used, or null.</summary>
    public static string? Fault(CrosstalkPiece piece) =>
        AllText(piece).Select(TextFault).FirstOrDefault(fault => fault is not null) ?? FormFault(piece);

    /// <summary>The reason why a piece that others wrote may not be taken in, or null.</summary>
    public static string? ImportFault(CrosstalkPiece piece) =>
        string.IsNullOrWhiteSpace(piece.Licence) || NoLicence().IsMatch(piece.Licence)
            ? "it names no licence under which it may be used; add licence: CC-BY-4.0 or the like."
            : Fault(piece);

    private static string? FormFault(CrosstalkPiece piece)
    {
        if (!Identifier().IsMatch(piece.Id))
        {
            return "its id is not 1 to 64 letters, digits, dots, dashes or underscores.";
        }

        if (piece.Title.Length is 0 or > LongestTag)
        {
            return piece.Title.Length == 0 ? "it has no title." : $"its title is longer than {LongestTag} characters.";
        }

        if (piece.Lines.Count is < FewestLines or > MostLines)
        {
            return $"it has {piece.Lines.Count} lines; {FewestLines} to {MostLines} are wanted.";
        }

        return piece.Lines.Select((line, i) => LineFault(line, i + 1)).FirstOrDefault(f => f is not null)
            ?? (piece.Tone.Length is 0 or > LongestTag ? "it has no tone (轻松, 温暖, 机灵 or the like)." : null)
            ?? TagFault(piece.Themes, "theme") ?? TagFault(piece.Unfit, "situation it is unfit for");
    }

    private static string? TagFault(IReadOnlyList<string> tags, string what) =>
        tags.Count == 0 ? $"it names no {what}."
        : tags.Count > MostTags || tags.Any(t => t.Trim().Length is 0 or > LongestTag) ? $"it names more than {MostTags} or too long tags as {what}."
        : null;

    private static string? LineFault(string line, int number) =>
        !line.StartsWith("甲：", StringComparison.Ordinal) && !line.StartsWith("乙：", StringComparison.Ordinal) ? $"line {number} does not begin with 甲： or 乙：."
        : line.Length <= 2 ? $"line {number} is empty."
        : line.Length > LongestLine ? $"line {number} is longer than {LongestLine} characters."
        : null;

    /// <summary>Tags of what a piece is unfit for name the very things that a piece must not touch, so only their form is looked at.</summary>
    private static IEnumerable<(string Text, bool IsShown)> AllText(CrosstalkPiece piece) =>
    [
        (piece.Title, true), (piece.Tone, true), (piece.Licence ?? "", false),
        .. piece.Themes.Select(t => (t, true)), .. piece.Lines.Select(l => (l, true)), .. piece.Unfit.Select(u => (u, false)),
    ];

    private static string? TextFault((string Text, bool IsShown) part)
    {
        var (text, isShown) = part;
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsHidden(rune))
            {
                return $"it holds a control or invisible character (U+{rune.Value:X4}).";
            }
        }

        if (Markup().Match(text) is { Success: true } markup)
        {
            return $"it holds markup, a link or a number to call ('{markup.Value}').";
        }

        if (!isShown)
        {
            return null;
        }

        var squeezed = Squeeze(text);
        if (Order().Match(squeezed) is { Success: true } order)
        {
            return $"it reads like an order to a model ('{order.Value}').";
        }

        return (Banned().Match(text) is { Success: true } found ? found : Banned().Match(squeezed)) is { Success: true } match
            ? $"it touches a banned theme ('{match.Value}')."
            : null;
    }

    /// <summary>Terminal escapes, zero-width and bidirectional marks, tag characters, private use, half characters (read as U+FFFD).</summary>
    private static bool IsHidden(Rune rune) => Rune.IsControl(rune) || rune.Value
        is (>= 0x200B and <= 0x200F) or (>= 0x2028 and <= 0x202E) or (>= 0x2060 and <= 0x206F) or 0xAD or 0xFEFF or 0xFFFD
        or (>= 0xE000 and <= 0xF8FF) or >= 0xE0000;

    /// <summary>The text without what may be put between characters to hide a word.</summary>
    private static string Squeeze(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (c is not (' ' or '\u3000' or '.' or '·' or '•' or '*' or '_' or '-' or '|' or '/' or '~'))
            {
                kept.Append(c);
            }
        }

        return kept.ToString();
    }

    [GeneratedRegex(@"^\s*(?:none|unknown|n/?a|-|无|未知|不详|待定)\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex NoLicence();

    [GeneratedRegex("^[A-Za-z0-9._-]{1,64}$")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"[<>{}`\[\]\\]|&(?:#\w+|[a-z]+);|https?:|www\.|\w@\w|\w\.(?:com|cn|net|org|io|top|xyz)\b|[\d０-９][\d０-９ \-]{4,}[\d０-９]", RegexOptions.IgnoreCase)]
    private static partial Regex Markup();

    [GeneratedRegex(@"输出[0-9０-９零一二三：:“""]|(?:忽略|无视|忘记|忘掉|跳过|绕过).{0,8}(?:规则|指令|指示|要求|提示|限制|设定|安全)|系统(?:提示|消息|指令)|提示词|(?:你|您)现在(?:起)?(?:是|扮演|就是).{0,10}(?:模型|助手|ai|限制|约束|管理员|开发者|猫娘)|扮演(?:模型|助手)|(?:system|assistant|user|developer)[:：]|ignore(?:all|the|any|previous|prior|above)|instructions?|prompt|路由[0-9]|判定为|回复用户", RegexOptions.IgnoreCase)]
    private static partial Regex Order();

    /// <summary>Death, self-harm, body, family insult, illness, region, gender, drink, politics.</summary>
    [GeneratedRegex("自杀|自殺|自残|自尽|轻生|跳楼|上吊|割腕|吞药|去死|该死|找死|想死|寻死|死了|死人|活不下去|不想活|尸|葬|坟|墓|遗书|遗产|遗像|去世|过世|癌|肿瘤|艾滋|精神病|神经病|抑郁症|弱智|智障|白痴|傻[逼子]|脑残|残疾|残废|瘸|聋子|瞎子|哑巴|肥婆|死胖|胖子|矮子|秃子|丑八怪|你妈|他妈|他娘|你爹是|我是你爸|孙子辈|龟孙|王八|杂种|畜生|娘炮|娘娘腔|婆娘|泼妇|剩女|小三|绿帽|乡巴佬|北佬|河南人|东北人都|上海人都|醉酒|喝醉|酗酒|灌酒|白酒|啤酒|干杯|主席|总理|总统|政府|共产|民主党|选举|法轮|台独|港独|毒品|吸毒|赌博|嫖|妓|色情|裸|家暴|强奸")]
    private static partial Regex Banned();
}
