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
/// Finds the grammatical subject of phrases in one text. When in doubt the answer is <see cref="Subject.Self"/>: a missed subject may
/// cost a needless question, a wrong one may cost a life.
/// </summary>
internal sealed partial class Speaker(string text)
{
    /// <summary>Characters at the beginning of a phrase in which its subject may stand.</summary>
    private const int Head = 2;
    private readonly string _text = text;
    private string? _reading;
    private List<Mention>? _mentions;

    /// <summary>Subject of the phrase at <paramref name="start"/>, looked for from <paramref name="sentenceStart"/> on.</summary>
    public Subject Of(int sentenceStart, int start, int length)
    {
        // "they want me to die" is about the writer, whoever wants it.
        var inner = _text.AsSpan(start, length);
        if (inner.Contains('我') && !KinAfterSelf().IsMatch(inner[inner.IndexOf('我')..]))
        {
            return Subject.Self;
        }

        var last = Mentions().FindLast(m => m.Start >= sentenceStart && m.Start < start + Math.Min(length, Head));
        if (last.Length == 0 || last.Subject == Subject.Self)
        {
            return Subject.Self;
        }

        var between = last.End < start ? _reading.AsSpan(last.End, start - last.End) : [];
        var before = _reading.AsSpan(sentenceStart, last.Start - sentenceStart);
        var speaksOn = Transparent().IsMatch(between) || Reported().IsMatch(between);
        return speaksOn && !Preposition().IsMatch(before) ? last.Subject : Subject.Self;
    }

    private List<Mention> Mentions()
    {
        if (_mentions is null)
        {
            // "told me" does not make the writer the subject.
            _reading = ToldMe().Replace(_text, m => new string('·', m.Length));
            _mentions = [.. Person().Matches(_reading).Select(m => new Mention(m.Index, m.Length,
                m.Groups["self"].Success ? Subject.Self : m.Groups["distant"].Success ? Subject.Distant : Subject.Acquaintance))];
        }

        return _mentions;
    }

    private readonly record struct Mention(int Start, int Length, Subject Subject)
    {
        public int End => Start + Length;
    }

    [GeneratedRegex("""
        (?<distant>主角|女主|男主|女二|男二|主人公|角色|明星|名人|偶像|爱豆|演员|歌手|网红|博主|主播|作家|诗人|屈原|海子|三毛|张国荣|项羽|王国维|老舍|顾城|梵高|海明威|太宰治|历史上|电影里|剧里|书里|小说里|新闻里?|报道|凶手|嫌犯|the\ character|protagonist)(?:他|她|的)?
        |(?<near>(?:我的?|他的?|她的?)?(?:室友|舍友|朋友|闺蜜|闺密|同学|同桌|男友|女友|男朋友|女朋友|老公|老婆|丈夫|妻子|对象|前任|前男友|前女友|弟弟|妹妹|哥哥|姐姐|孩子|儿子|女儿|闺女|妈妈|母亲|爸爸|父亲|奶奶|爷爷|外婆|外公|姥姥|姥爷|老伴|婆婆|公公|叔叔|舅舅|阿姨|姑姑|同事|网友|学生|病人|来访者|邻居|表弟|表妹|表哥|表姐|侄女|侄子|徒弟|老师|有个人)|(?:我|他|她)(?:哥|姐|弟|妹|妈|爸|儿|女)|他们|她们|他|她|(?<![a-z])ta(?![a-z])|(?<![所没])有人|别人|某人|\b(?:he|she|they|friend|roommate|brother|sister|mom|mother|dad|father|boyfriend|girlfriend|classmate|coworker|son|daughter|husband|wife)\b)
        |(?<self>我|俺|本人|自己|\bi\b|\bi'm\b|\bme\b|\bmyself\b)
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Person();

    [GeneratedRegex("^我的?(?:室友|舍友|朋友|闺蜜|同学|同桌|男友|女友|男朋友|女朋友|老公|老婆|对象|前任|妈|爸|哥|姐|弟|妹|儿|女|孩|奶|爷|姥|外|姑|叔|舅|姨|表|堂|家|同事|学生|邻居|徒弟)")]
    private static partial Regex KinAfterSelf();

    /// <summary>
    /// What may stand between a subject and its phrase without a new subject coming in. Longer words come first and the group never gives
    /// back, so that no text takes long.
    /// </summary>
    [GeneratedRegex("^(?>(?:talking about|keeps saying|has been|told me|(?:因为)?(?:失恋|分手|离婚|吵架|考砸|落榜|被甩|失业)(?:以?后|了)?|得了?抑郁症?|确诊抑郁症?|wants?|这段时间|不止一次|发朋友圈|在作文里|在日记里|有抑郁症?|情绪崩溃|said|says|that|这几天|好几次|发消息|发微信|发信息|发短信|发了条|朋友圈|告诉我|跟妈妈|日记里|作文里|吃饭时|抑郁了?|一个人|was|之前|最近|近来|昨晚|昨天|前天|今天|今早|早上|晚上|半夜|凌晨|刚才|刚刚|突然|忽然|总是|老是|一直|经常|常常|天天|每天|现在|真的|可能|好像|似乎|有点|几次|多次|曾经|说过|说话|说了|表示|微信|给我|跟我|和我|对我|写着|写了|发了|想要|哭着|喊着|闹着|吵着|自己|试图|打算|准备|差点|竟然|居然|最后|站在|爬上|to|is|'s|们|的|刚|又|也|都|就|还|总|老|真|有|曾|说|讲|发|写|在|·|想|要|会|不|闹|吵|里|,|:|：|“|\"| )*)$")]
    private static partial Regex Transparent();

    /// <summary>Right before the phrase, someone without a name of their own in this clause says or thinks it.</summary>
    [GeneratedRegex("(?:总|老|一直|经常|天天|每天|昨晚|昨天|今天|刚才|里|群里|半夜|突然|哭着|·|,|还|都|又)(?:说|讲|喊|嚷|念叨|发消息|留言|发帖|写|闹)(?:他|她|自己)?(?:着|了|过|要|觉得)?$|(?:说|表示|念叨|嚷嚷)(?:他|她|自己)?(?:今晚|现在|马上|明天|今天|真的|觉得|就|再也|要|会|也|都){0,3}$")]
    private static partial Regex Reported();

    [GeneratedRegex("(?:跟|对|告诉|给|向|和)我们?(?=说|讲|发|打|看|留|哭|表|提|,|，|$|一|她|他)")]
    private static partial Regex ToldMe();

    [GeneratedRegex("(?:因为|为了|被|跟|和|与|给|对|把|答应过?|保证过?|承诺过?|没有|没了|离开|失去|想念|想起|陪|像|比|让|除了|怪|恨|爱|为|向|替|想|见|找)$")]
    private static partial Regex Preposition();
}
