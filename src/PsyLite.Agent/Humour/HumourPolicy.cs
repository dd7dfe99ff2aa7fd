using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Humour;

/// <summary>Whether a piece may be offered, and if not, the first reason against it.</summary>
internal enum HumourDecision
{
    Offer,
    TurnedOff,
    AskedToStop,
    RiskNow,
    AwaitsPerson,
    AfterDanger,
    AfterWorry,
    MinorAfterRisk,
    SuddenCheer,
    GriefIllnessOrAbuse,
    EnoughForToday,
    TooSoon,
    TooFewSigns,
}

/// <summary>What a message says about humour itself.</summary>
internal enum HumourWish
{
    None,
    Stop,
    Wanted,
}

/// <summary>
/// Decides whether a piece may be offered at all (safety.md of the plan, section 7). When in doubt, it may not: a missed joke costs nothing.
/// </summary>
internal static partial class HumourPolicy
{
    private const int TurnsAfterWorry = 20;
    private const int MostPerConversation = 2;
    private const int TurnsBetween = 5;
    private const int FewestSigns = 2;
    private static readonly TimeSpan TimeAfterWorry = TimeSpan.FromDays(7);
    private static readonly TimeSpan TimeAfterDanger = TimeSpan.FromDays(30);

    /// <summary>True when the person asks that the joking stop.</summary>
    public static bool IsRefusal(string text) => Refusal().IsMatch(text);

    /// <summary>The last word the person said about humour in these messages.</summary>
    public static HumourWish LastWish(IReadOnlyList<ChatMessage> messages) =>
        messages.Where(m => m.Role == ChatRole.User).Select(m => WishOf(m.Text ?? "")).LastOrDefault(w => w != HumourWish.None);

    public static HumourDecision Decide(TurnRequest request, Assessment assessment, DateTimeOffset now)
    {
        var state = request.State;
        var said = request.Messages.Where(m => m.Role == ChatRole.User).Select(m => m.Text ?? "").ToList();
        var newest = said.LastOrDefault() ?? "";
        var wish = LastWish(request.Messages);
        return !request.HumourAllowed ? HumourDecision.TurnedOff
            : wish == HumourWish.Stop || (state.HumourRefused && wish != HumourWish.Wanted) ? HumourDecision.AskedToStop
            : assessment.Route == Route.Danger || assessment.Tier != Tier.T0 ? HumourDecision.RiskNow
            : RiskBefore(request, said, now) is { } risk ? risk
            : said.SkipLast(1).TakeLast(TurnsAfterWorry).Any(Hopeless().IsMatch) || SuddenCalm().IsMatch(newest) ? HumourDecision.SuddenCheer
            : said.Any(Excluded().IsMatch) ? HumourDecision.GriefIllnessOrAbuse
            : state.OfferedCrosstalk.Count >= MostPerConversation ? HumourDecision.EnoughForToday
            : state.LastCrosstalkTurn is { } last && state.Turns - last < TurnsBetween ? HumourDecision.TooSoon
            : WishOf(newest) == HumourWish.Wanted || (assessment.Route == Route.Happy && Signs(assessment) >= FewestSigns) ? HumourDecision.Offer
            : HumourDecision.TooFewSigns;
    }

    /// <summary>What earlier risk still forbids; turns and time must both have passed, and T3 and above wait for a person.</summary>
    private static HumourDecision? RiskBefore(TurnRequest request, List<string> said, DateTimeOffset now)
    {
        var state = request.State;
        if (state.AwaitsClearing)
        {
            return HumourDecision.AwaitsPerson;
        }

        if (state.LastDangerAt is { } dangerAt && now - dangerAt <= TimeAfterDanger)
        {
            return HumourDecision.AfterDanger;
        }

        if ((state.LastRiskTurn is { } turn && state.Turns - turn <= TurnsAfterWorry) || (state.LastRiskAt is { } riskAt && now - riskAt <= TimeAfterWorry))
        {
            return HumourDecision.AfterWorry;
        }

        var anyRisk = state.LastRiskTurn is not null || state.LastRiskAt is not null || state.LastDangerAt is not null;
        return anyRisk && (request.IsMinor || said.Any(Minor().IsMatch)) ? HumourDecision.MinorAfterRisk : null;
    }

    /// <summary>
    /// Different signs of good mood. Exclamation marks, laughter and the like say how something is meant, so all of them together are one
    /// sign, and none without something that they belong to.
    /// </summary>
    private static int Signs(Assessment assessment)
    {
        var plain = assessment.HappyEvidence.Distinct().Count(e => !Mark().IsMatch(e));
        return plain == 0 ? 0 : plain + (assessment.HappyEvidence.Any(e => Mark().IsMatch(e)) ? 1 : 0);
    }

    private static HumourWish WishOf(string text) =>
        IsRefusal(text) ? HumourWish.Stop : Request().IsMatch(text) ? HumourWish.Wanted : HumourWish.None;

    [GeneratedRegex("别(?:再|老|总)?逗|别(?:再|老)?搞笑|别(?:再)?(?:开|跟我开)玩笑|不(?:想|要|用|爱|喜欢)(?:再)?(?:听|看)?(?:你的|这些|什么)?(?:相声|段子|笑话)|不好笑|(?:别|不要|不用|少)(?:再|给我|老)*(?:发|讲|放|来|推|说)(?:这些|什么)?(?:相声|段子|笑话)|关(?:掉|闭|了)(?:幽默|相声|段子|笑话)|没心情(?:听|看|笑)|(?:stop|quit|no more) (?:joking|jokes)|no jokes", RegexOptions.IgnoreCase)]
    private static partial Regex Refusal();

    [GeneratedRegex("(?:来|讲|说|听|看|放|整|给我|再|找|换)(?:我|点|一|两|几|段|个|则|首|儿)*(?:相声|笑话|段子)|逗(?:逗)?我(?:笑|乐|开心|一下|吧)|(?:可以|能|打开|开启|恢复|继续)(?:再)?(?:开玩笑|讲笑话|幽默|相声|逗我)|tell me a joke|make me laugh|jokes? (?:on|again)", RegexOptions.IgnoreCase)]
    private static partial Regex Request();

    [GeneratedRegex("^(?:[!！~]+|啦|喽|喇|耶|呀|哇|嘿|绝了|天哪|终于|总算|居然|竟然|人生?第一次?|第一次|头一回|真的在|原来被|哈+|嘿嘿+|嘻嘻+|h+|hiahia|〔[庆笑]〕)$", RegexOptions.IgnoreCase)]
    private static partial Regex Mark();

    /// <summary>Grief, illness and abuse: no joke is told near them, whenever in the conversation they came up.</summary>
    [GeneratedRegex("去世|过世|离世|病逝|逝世|葬礼|追悼|丧|扫墓|骨灰|遗体|遗像|守灵|癌|肿瘤|白血病|重病|绝症|化疗|放疗|透析|手术|住院|抢救|icu|确诊|流产|胎停|家暴|家庭暴力|打我|被打|猥亵|性侵|性骚扰|强奸|强暴|虐待|霸凌|欺凌|欺负我|安乐死|喵星|汪星|彩虹桥|走了[一二两三四五六七八九十半好]|passed away|funeral|cancer|abuse", RegexOptions.IgnoreCase)]
    private static partial Regex Excluded();

    /// <summary>Hopelessness that needs no tier of risk of its own.</summary>
    [GeneratedRegex("绝望|没有?希望|看不到(?:一点)?(?:希望|未来|头|出路)|(?:活着|人生|生活|日子|什么都|一切都?)(?:真的?|也|好)?没(?:有|什么)?(?:意思|意义|劲|盼头)|撑不(?:住|下去)|熬不(?:住|下去|过)|坚持不下去|活着(?:好|真|太|很)?(?:累|难|苦)|崩溃|解脱|生无可恋|万念俱灰|心如死灰|一切都完了|废人|没有我会更好|不配|hopeless|pointless|worthless", RegexOptions.IgnoreCase)]
    private static partial Regex Hopeless();

    /// <summary>Relief that comes from nowhere can be a decision, not a good day.</summary>
    [GeneratedRegex("(?:终于|突然|忽然|一下子?|已经)(?:全|都|就)?(?:想通|想开|看开|放下|解脱|释怀|决定好)|再也不(?:用|会)(?:痛|疼|难受|难过|痛苦|熬)|一切都(?:要|快|会)?(?:结束|过去)|无牵无挂|了无牵挂")]
    private static partial Regex SuddenCalm();

    /// <summary>Words of school years: who says them is treated as a minor.</summary>
    [GeneratedRegex("我(?:今年|才|刚|刚满)*(?:[89]|1[0-7]|[八九十]|十[一二三四五六七])岁|未成年|小学|初[一二三中]|高[一二三]|高中|中考|月考|班主任|[一二三四五六]年级")]
    private static partial Regex Minor();
}
