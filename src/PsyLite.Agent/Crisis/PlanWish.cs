using System.Text.RegularExpressions;

namespace PsyLite.Agent.Crisis;

/// <summary>What a message asks of the safety plan.</summary>
internal enum PlanWish
{
    None,
    Start,
    Show,
    Leave,
    Skip,
    Back,
    Revise,
    Why,
}

/// <summary>Reads wishes about the plan, in both scripts, Cantonese and English.</summary>
internal static partial class PlanWishes
{
    /// <summary>A wish that may be said at any time: it names the plan.</summary>
    public static (PlanWish Wish, PlanStep? Step) Anytime(string text)
    {
        var said = text.Trim();
        return Plan().IsMatch(said) ? Revision().IsMatch(said) && StepOf(said) is { } step ? (PlanWish.Revise, step)
            : NotWriting().IsMatch(said) ? (PlanWish.Leave, null)
            : Show().IsMatch(said) ? (PlanWish.Show, null)
            : Begin().IsMatch(said) ? (PlanWish.Start, null)
            : (PlanWish.None, null)
            : Continue().IsMatch(said) ? (PlanWish.Start, null)
            : (PlanWish.None, null);
    }

    /// <summary>A wish said while a step is being asked about; short words are enough there.</summary>
    public static (PlanWish Wish, PlanStep? Step) WhileWriting(string text)
    {
        var said = text.Trim();
        return Revision().IsMatch(said) && StepOf(said) is { } step ? (PlanWish.Revise, step)
            : NotWriting().IsMatch(said) ? (PlanWish.Leave, null)
            : ShowShort().IsMatch(said) ? (PlanWish.Show, null)
            : Back().IsMatch(said) ? (PlanWish.Back, null)
            : Skip().IsMatch(said) ? (PlanWish.Skip, null)
            : Why().IsMatch(said) ? (PlanWish.Why, null)
            : Anytime(said);
    }

    private static PlanStep? StepOf(string text)
    {
        var number = StepNumber().Match(text);
        if (!number.Success)
        {
            return null;
        }

        var index = "123456一二三四五六".IndexOf(number.Groups[1].Value[0], StringComparison.Ordinal);
        return index < 0 ? null : (PlanStep)(index % 6);
    }

    [GeneratedRegex("(?:安全|保命|应急|應急)(?:计划|計劃|計畫|清单)|(?:写|寫|看|改|整|睇)(?:一下|下|一個|个|個|份)?(?:这个|那个|我的|我嘅|呢份)?(?:计划|計劃|計畫)|safety plan|\\b(?:my|the|our) plan\\b", RegexOptions.IgnoreCase)]
    private static partial Regex Plan();

    [GeneratedRegex("看|给我|給我|显示|顯示|拿出来|睇|在哪|show|see|read|where", RegexOptions.IgnoreCase)]
    private static partial Regex Show();

    [GeneratedRegex("写|寫|做|开始|開始|继续|繼續|接着|一起|帮我|幫我|整|想要|start|write|make|continue|help|go on", RegexOptions.IgnoreCase)]
    private static partial Regex Begin();

    [GeneratedRegex("^(?:我们|我們|我)?(?:继续|接着|繼續|接著)(?:写|寫)|^继续计划|^(?:let'?s )?continue writing", RegexOptions.IgnoreCase)]
    private static partial Regex Continue();

    [GeneratedRegex("改|修改|重写|重寫|换一下|換|change|edit|revise|redo", RegexOptions.IgnoreCase)]
    private static partial Regex Revision();

    [GeneratedRegex("第([1-6一二三四五六])|\\bstep ([1-6])\\b|\\b(?:step|number) *([1-6])", RegexOptions.IgnoreCase)]
    private static partial Regex StepNumber();

    [GeneratedRegex("(?:不|唔)(?:想|要|太想)?(?:再|继续|繼續)?(?:写|寫|填|弄|做|整)(?:了|喇|下去|计划|計劃|這個|这个)*$|先不写|先不寫|(?:先)?(?:停|算)(?:一下|在这|了|下)$|^退出$|以后再写|之後再寫|改天再写|(?:don'?t|do not) want to (?:write|do|continue)|^(?:stop|quit|leave it|enough|not now)[.! ]*$|stop (?:writing|the plan)", RegexOptions.IgnoreCase)]
    private static partial Regex NotWriting();

    [GeneratedRegex("^(?:给我|給我|让我|讓我|我想)?(?:看看|看一下|看一眼|睇下|显示|顯示)(?:计划|計劃|写的|寫的|写了什么|写好的|全部)*[吧。！!]*$|^(?:show|show me|show it|show me the plan)[.! ]*$", RegexOptions.IgnoreCase)]
    private static partial Regex ShowShort();

    [GeneratedRegex("^(?:上一步|回上一步|退回|返上一步|(?:go )?back)[。.! ]*$", RegexOptions.IgnoreCase)]
    private static partial Regex Back();

    [GeneratedRegex("^(?:(?:先)?跳过|跳過|略过|下一步|下一个|下一個|不知道|唔知道?|不清楚|没有|沒有|冇|没|想不出来?|想不到|諗唔到|没想好|skip(?: it| this)?|next|i don'?t know|idk|none|nothing|no idea)(?:了|吧|哦|啊|呀|喇|这步|这一步|呢步|[。，,.! ])*$", RegexOptions.IgnoreCase)]
    private static partial Regex Skip();

    [GeneratedRegex("^(?:.{0,8}(?:为什么|為什麼|点解|點解|干嘛|干什么|有什么用|有用吗|有用嗎|有咩用|什么意思|什麼意思|咩意思).{0,12}|.{0,12}(?:why|what'?s the point|what does that mean|what do you mean).{0,24})[？?。]?$", RegexOptions.IgnoreCase)]
    private static partial Regex Why();
}
