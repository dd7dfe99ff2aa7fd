namespace PsyLite.Training.Data;

/// <summary>
/// Small changes to the wording of a person's message that leave its meaning alone: a greeting before it, another everyday word
/// for the same thing, dropped punctuation, a clause less. They keep a small model from tying a reply to one exact string.
/// </summary>
internal static class VoiceVariation
{
    private static readonly string[] Greetings =
    [
        "你好，", "你好！", "您好，", "嗨，", "在吗？", "那个，", "唉，", "哎，", "嗯，", "想问一下，", "想跟你说说，", "有件事想聊聊，", "请问，", "跟你说个事，",
        "不好意思打扰了，", "有点事想说，", "我想说，", "说实话，", "其实，", "今天想聊聊，", "你能听我说说吗，", "Hi，",
    ];

    private static readonly string[] Tails =
    [
        "，好烦", "，好累", "，怎么办", "，怎么办啊", "，有点难受", "，心里堵得慌", "，不知道怎么办", "，想找人说说", "，你怎么看", "，帮帮我吧", "，唉", "……", "，就是想说说", "，心好累",
    ];

    // Each row holds words that may stand for one another in a client's mouth.
    private static readonly string[][] Synonyms =
    [
        ["最近", "这段时间", "这阵子", "近来", "这几天", "这些天"],
        ["男朋友", "对象", "男友", "我男朋友"],
        ["女朋友", "对象", "女友"],
        ["老公", "丈夫", "我先生", "我老公"],
        ["老婆", "妻子", "媳妇"],
        ["妈妈", "我妈", "母亲"],
        ["爸爸", "我爸", "父亲"],
        ["领导", "上司", "老板", "主管"],
        ["睡不着", "失眠", "睡不着觉"],
        ["怎么办", "该怎么办", "咋办", "怎么办才好", "如何是好"],
        ["很难过", "特别难过", "好难过", "挺难过的", "真的难过"],
        ["压力很大", "压力好大", "压力特别大", "压力山大"],
        ["总是", "老是", "一直", "经常"],
        ["非常", "特别", "很", "超级"],
        ["不知道", "不晓得", "搞不清"],
        ["孩子", "小孩", "娃"],
        ["没意思", "没劲", "提不起劲"],
        ["吵架", "吵起来", "争吵"],
        ["害怕", "怕", "担心"],
        ["同事", "同事们"],
        ["室友", "舍友"],
        ["开心", "高兴"],
        ["觉得", "感觉"],
        ["崩溃", "快崩溃", "绷不住"],
    ];

    /// <summary>Returns the text, changed a little or not at all.</summary>
    public static string Vary(string text, Random random, bool opening)
    {
        if (opening && random.NextDouble() < 0.25)
        {
            text = DropClause(text, random);
        }

        if (random.NextDouble() < 0.5)
        {
            text = Replace(text, random);
        }

        if (opening && random.NextDouble() < 0.2)
        {
            text = Greetings[random.Next(Greetings.Length)] + text;
        }

        if (opening && text.Length < 24 && random.NextDouble() < 0.15 && !text.Contains('？') && !text.Contains("怎么", StringComparison.Ordinal))
        {
            text = text.TrimEnd('。', '！', '…', '~', '，') + Tails[random.Next(Tails.Length)];
        }

        return Punctuate(text, random);
    }

    private static string Replace(string text, Random random)
    {
        foreach (var row in Synonyms)
        {
            var found = row.FirstOrDefault(w => text.Contains(w, StringComparison.Ordinal));
            if (found is not null && random.NextDouble() < 0.5)
            {
                var at = text.IndexOf(found, StringComparison.Ordinal);
                var word = row[random.Next(row.Length)];

                // 我 + 我妈 would double the pronoun.
                if (at > 0 && text[at - 1] == '我' && word.StartsWith('我'))
                {
                    continue;
                }

                text = string.Concat(text.AsSpan(0, at), word, text.AsSpan(at + found.Length));
            }
        }

        return text;
    }

    /// <summary>Keeps the opening clauses of a long message: people often send only the first half of the thought.</summary>
    private static string DropClause(string text, Random random)
    {
        var ends = new List<int>();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '，' or '。' or '？' or '！' or '；')
            {
                ends.Add(i);
            }
        }

        var usable = ends.Where(e => e >= 9 && e < text.Length - 4).ToList();
        return usable.Count == 0 ? text : text[..usable[random.Next(usable.Count)]];
    }

    private static string Punctuate(string text, Random random)
    {
        var dice = random.NextDouble();
        if (dice < 0.35)
        {
            return text.TrimEnd('。');
        }

        if (dice < 0.42)
        {
            return text.Replace('，', ' ').TrimEnd('。');
        }

        return dice < 0.5 && text.EndsWith('。') ? text[..^1] + "……" : text;
    }
}
