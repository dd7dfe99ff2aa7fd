using System.Text.RegularExpressions;

namespace PsyLite.Agent.Humour;

/// <summary>What keeps a piece out: wrong form, or a theme that could hurt someone who came for help.</summary>
public static partial class CrosstalkVetting
{
    private const int FewestLines = 4;
    private const int MostLines = 80;

    /// <summary>The reason why the piece may not be used, or null.</summary>
    public static string? Fault(CrosstalkPiece piece)
    {
        if (piece.Title.Length == 0)
        {
            return "it has no title.";
        }

        if (piece.Lines.Count is < FewestLines or > MostLines)
        {
            return $"it has {piece.Lines.Count} lines; {FewestLines} to {MostLines} are wanted.";
        }

        var wrong = piece.Lines.FirstOrDefault(l => !l.StartsWith("甲：", StringComparison.Ordinal) && !l.StartsWith("乙：", StringComparison.Ordinal));
        if (wrong is not null)
        {
            return $"the line '{wrong}' does not begin with 甲： or 乙：.";
        }

        foreach (var text in piece.Lines.Append(piece.Title).Concat(piece.Themes))
        {
            if (Banned().Match(text) is { Success: true } match)
            {
                return $"it touches a banned theme ('{match.Value}').";
            }
        }

        return null;
    }

    /// <summary>Death, self-harm, body, family insult, illness, region, gender, drink, politics.</summary>
    [GeneratedRegex("自杀|自残|跳楼|上吊|割腕|去死|该死|找死|死了|死人|尸|葬|坟|遗书|遗产|癌|精神病|神经病|弱智|智障|白痴|傻[逼子]|脑残|残疾|瘸|聋子|瞎子|哑巴|肥婆|死胖|胖子|矮子|秃子|丑八怪|你妈|他妈|他娘|你爹是|我是你爸|孙子辈|龟孙|王八|杂种|娘炮|娘娘腔|婆娘|泼妇|小三|绿帽|乡巴佬|北佬|河南人偷|东北人都|上海人都|醉酒|喝醉|酗酒|灌酒|白酒|主席|总理|政府|共产|民主党|选举|法轮|台独|港独|毒品|赌博|嫖|妓|色情|裸")]
    private static partial Regex Banned();
}
