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
        // "they want me to die" is about the writer, whoever wants it.
        var inner = text.AsSpan(start, length);
        if (inner.Contains('我') && !KinAfterSelf().IsMatch(inner[inner.IndexOf('我')..]))
        {
            return Subject.Self;
        }

        // "told me" does not make the writer the subject.
        sentenceBefore = ToldMe().Replace(sentenceBefore, m => new string('·', m.Length));
        var reading = string.Concat(sentenceBefore, text.AsSpan(start, Math.Min(length, 4)));
        Match? last = null;
        foreach (Match person in Person().Matches(reading))
        {
            last = person.Index < sentenceBefore.Length + 2 ? person : last;
        }

        if (last is null || last.Groups["self"].Success)
        {
            return Subject.Self;
        }

        var end = last.Index + last.Length;
        var between = end < sentenceBefore.Length ? sentenceBefore[end..] : "";
        if (!(Transparent().IsMatch(between) || Reported().IsMatch(between)) || Preposition().IsMatch(sentenceBefore[..Math.Min(last.Index, sentenceBefore.Length)]))
        {
            return Subject.Self;
        }

        return last.Groups["distant"].Success ? Subject.Distant : Subject.Acquaintance;
    }

    [GeneratedRegex("""
        (?<distant>主角|女主|男主|女二|男二|主人公|角色|明星|名人|偶像|爱豆|演员|歌手|网红|博主|主播|作家|诗人|屈原|海子|三毛|张国荣|项羽|王国维|老舍|顾城|梵高|海明威|太宰治|历史上|电影里|剧里|书里|小说里|新闻里?|报道|凶手|嫌犯|the\ character|protagonist)(?:他|她|的)?
        |(?<near>(?:我的?|他的?|她的?)?(?:室友|舍友|朋友|闺蜜|闺密|同学|同桌|男友|女友|男朋友|女朋友|老公|老婆|丈夫|妻子|对象|前任|前男友|前女友|弟弟|妹妹|哥哥|姐姐|孩子|儿子|女儿|闺女|妈妈|母亲|爸爸|父亲|奶奶|爷爷|外婆|外公|姥姥|姥爷|老伴|婆婆|公公|叔叔|舅舅|阿姨|姑姑|同事|网友|学生|病人|来访者|邻居|表弟|表妹|表哥|表姐|侄女|侄子|徒弟|老师|有个人)|(?:我|他|她)(?:哥|姐|弟|妹|妈|爸|儿|女)|他们|她们|他|她|(?<![a-z])ta(?![a-z])|(?<![所没])有人|别人|某人|\b(?:he|she|they|friend|roommate|brother|sister|mom|mother|dad|father|boyfriend|girlfriend|classmate|coworker|son|daughter|husband|wife)\b)
        |(?<self>我|俺|本人|自己|\bi\b|\bi'm\b|\bme\b|\bmyself\b)
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Person();

    [GeneratedRegex("^我的?(?:室友|舍友|朋友|闺蜜|同学|同桌|男友|女友|男朋友|女朋友|老公|老婆|对象|前任|妈|爸|哥|姐|弟|妹|儿|女|孩|奶|爷|姥|外|姑|叔|舅|姨|表|堂|家|同事|学生|邻居|徒弟)")]
    private static partial Regex KinAfterSelf();

    /// <summary>What may stand between a subject and its phrase without a new subject coming in.</summary>
    [GeneratedRegex("^(?:们|的|之前|最近|近来|这几天|这段时间|昨晚|昨天|前天|今天|今早|早上|晚上|半夜|凌晨|刚才|刚刚|刚|突然|忽然|又|也|都|就|还|总是|总|老是|老|一直|经常|常常|天天|每天|现在|真的|真|可能|好像|似乎|有点|有|好几次|几次|多次|不止一次|曾经|曾|说过|说话|说了|说|讲|表示|发消息|发微信|发信息|发短信|发朋友圈|发了条|发|微信|朋友圈|给我|跟我|和我|对我|告诉我|跟妈妈|在作文里|在日记里|日记里|作文里|写着|写了|写|在|吃饭时|·|发了|想要|想|要|会|不|(?:因为)?(?:失恋|分手|离婚|吵架|考砸|落榜|被甩|失业)(?:以?后|了)?|抑郁了?|得了?抑郁症?|有抑郁症?|确诊抑郁症?|情绪崩溃|哭着|喊着|闹着|吵着|闹|吵|里|一个人|自己|试图|打算|准备|差点|竟然|居然|最后|站在|爬上|to|wants?|told me|said|says|keeps saying|is|was|has been|talking about|that|'s|,|:|：|“|\"| )*$")]
    private static partial Regex Transparent();

    /// <summary>Right before the phrase, someone without a name of their own in this clause says or thinks it.</summary>
    [GeneratedRegex("(?:总|老|一直|经常|天天|每天|昨晚|昨天|今天|刚才|里|群里|半夜|突然|哭着|·|,|还|都|又)(?:说|讲|喊|嚷|念叨|发消息|留言|发帖|写|闹)(?:他|她|自己)?(?:着|了|过|要|觉得)?$|(?:说|表示|念叨|嚷嚷)(?:他|她|自己)?(?:今晚|现在|马上|明天|今天|真的|觉得|就|再也|要|会|也|都){0,3}$")]
    private static partial Regex Reported();

    [GeneratedRegex("(?:跟|对|告诉|给|向|和)我们?(?=说|讲|发|打|看|留|哭|表|提|,|，|$|一|她|他)")]
    private static partial Regex ToldMe();

    [GeneratedRegex("(?:因为|为了|被|跟|和|与|给|对|把|答应过?|保证过?|承诺过?|没有|没了|离开|失去|想念|想起|陪|像|比|让|除了|怪|恨|爱|为|向|替|想|见|找)$")]
    private static partial Regex Preposition();
}
