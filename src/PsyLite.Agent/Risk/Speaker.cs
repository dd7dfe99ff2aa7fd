using System.Text.RegularExpressions;

namespace PsyLite.Agent.Risk;

/// <summary>Whose state a dangerous phrase describes.</summary>
internal enum Subject
{
    /// <summary>The person writing, also when no one is named.</summary>
    Self,

    /// <summary>Someone the writer knows.</summary>
    Acquaintance,

    /// <summary>A character, a celebrity, a figure of history or the news.</summary>
    Distant,
}

/// <summary>
/// Finds the grammatical subject of a phrase. When in doubt the answer is <see cref="Subject.Self"/>: a missed subject may cost
/// a needless question, a wrong one may cost a life.
/// </summary>
internal static partial class Speaker
{
    public static Subject Of(string text, int start, int length, string sentenceBefore)
    {
        var inside = SelfWord().Match(text, start, Math.Min(length, 3));
        if (inside.Success && !KinAfterSelf().IsMatch(text.AsSpan(inside.Index, Math.Min(4, text.Length - inside.Index))))
        {
            return Subject.Self;
        }

        var last = Person().Matches(sentenceBefore).LastOrDefault();
        if (last is null || last.Groups["self"].Success)
        {
            return Subject.Self;
        }

        var between = sentenceBefore[(last.Index + last.Length)..];
        if (!Transparent().IsMatch(between) || Preposition().IsMatch(sentenceBefore[..last.Index]))
        {
            return Subject.Self;
        }

        return last.Groups["distant"].Success ? Subject.Distant : Subject.Acquaintance;
    }

    [GeneratedRegex("我|俺|本人|自己|\\bi\\b|\\bmy\\b")]
    private static partial Regex SelfWord();

    [GeneratedRegex("^我的?(?:室友|舍友|朋友|闺蜜|同学|同桌|男友|女友|男朋友|女朋友|老公|老婆|对象|前任|妈|爸|哥|姐|弟|妹|儿|女|孩|奶|爷|姥|外|姑|叔|舅|姨|表|堂|家|同事|学生|邻居|徒弟)")]
    private static partial Regex KinAfterSelf();

    [GeneratedRegex("""
        (?<distant>主角|女主|男主|主人公|角色|明星|名人|偶像|爱豆|演员|歌手|网红|博主|主播|作家|诗人|屈原|海子|三毛|张国荣|项羽|历史上|电影里|剧里|书里|小说里|新闻|报道|凶手|嫌犯|the character|protagonist)(?:他|她|的)?
        |(?<near>他们|她们|他|她|(?<![a-z])ta(?![a-z])|室友|舍友|朋友|闺蜜|闺密|同学|同桌|男友|女友|男朋友|女朋友|老公|老婆|丈夫|妻子|对象|前任|前男友|前女友|弟弟|妹妹|哥哥|姐姐|(?:我|他|她)(?:哥|姐|弟|妹|儿子|女儿|妈|爸)|孩子|儿子|女儿|闺女|妈妈|母亲|爸爸|父亲|奶奶|爷爷|外婆|外公|姥姥|姥爷|老伴|婆婆|公公|叔叔|舅舅|阿姨|姑姑|同事|网友|学生|病人|来访者|邻居|表弟|表妹|表哥|表姐|侄女|侄子|徒弟|徒儿|有个人|有人|别人|某人|\b(?:he|she|they|friend|roommate|brother|sister|mom|mother|dad|father|boyfriend|girlfriend|classmate|coworker|son|daughter|husband|wife)\b)
        |(?<self>我|俺|本人|自己|\bi\b|\bi'm\b|\bme\b|\bmyself\b)
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Person();

    /// <summary>What may stand between a subject and its phrase without a new subject coming in.</summary>
    [GeneratedRegex("^(?:们|的|之前|最近|近来|这几天|这段时间|昨晚|昨天|前天|今天|今早|早上|晚上|半夜|凌晨|刚才|刚刚|刚|突然|忽然|又|也|都|就|还|总是|总|老是|老|一直|经常|常常|天天|每天|现在|真的|真|可能|好像|似乎|有点|有|好几次|几次|多次|不止一次|曾经|曾|说过|说话|说了|说|讲|表示|发消息|发微信|发信息|发短信|发朋友圈|发了条|发|微信|朋友圈|给我|跟我|和我|对我|告诉我|跟妈妈|在|正在|想要|想|要|会|因为失恋|失恋了?|抑郁了?|得了?抑郁症?|有抑郁症?|确诊抑郁症?|情绪崩溃|哭着|喊着|闹着|吵着|闹|吵|里|一个人|自己|试图|打算|准备|差点|竟然|居然|told me|said|says|keeps saying|is|was|has been|wants to|talking about|that|'s|,|:|：|“|\"| )*$")]
    private static partial Regex Transparent();

    [GeneratedRegex("(?:因为|为了|被|跟|和|与|给|对|把|没有|没了|离开|失去|想念|想起|陪|像|比|让|除了|怪|恨|爱|为|向|替)$")]
    private static partial Regex Preposition();
}
