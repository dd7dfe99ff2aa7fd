using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Humour;

/// <summary>Decides whether a piece may be offered at all. When in doubt, it may not.</summary>
internal static partial class HumourPolicy
{
    private const int TurnsAfterWorry = 20;
    private const int MostPerConversation = 2;
    private const int TurnsBetween = 5;
    private static readonly TimeSpan TimeAfterWorry = TimeSpan.FromDays(7);
    private static readonly TimeSpan TimeAfterDanger = TimeSpan.FromDays(30);

    /// <summary>True when the person asks that the joking stop.</summary>
    public static bool IsRefusal(string text) => Refusal().IsMatch(text);

    public static bool Allows(TurnRequest request, Assessment assessment, DateTimeOffset now)
    {
        var state = request.State;
        return request.HumourAllowed
            && !state.HumourRefused
            && assessment.Route == Route.Happy
            && assessment.HappyEvidence.Count > 0
            && !state.AwaitsClearing
            && (state.LastRiskTurn is not { } riskTurn || state.Turns - riskTurn > TurnsAfterWorry)
            && (state.LastRiskAt is not { } riskAt || now - riskAt > TimeAfterWorry)
            && (state.LastDangerAt is not { } dangerAt || now - dangerAt > TimeAfterDanger)
            && state.OfferedCrosstalk.Count < MostPerConversation
            && (state.LastCrosstalkTurn is not { } last || state.Turns - last >= TurnsBetween)
            && !request.Messages.Where(m => m.Role == ChatRole.User).TakeLast(TurnsAfterWorry).Any(m => Excluded().IsMatch(m.Text ?? ""));
    }

    [GeneratedRegex("别逗|别搞笑|别开玩笑|不(?:想|要)(?:听|看)(?:相声|段子|笑话)|不好笑|别(?:发|讲|放|来)(?:相声|段子|笑话)|关(?:掉|闭)(?:幽默|相声|段子)|stop joking|no jokes")]
    private static partial Regex Refusal();

    /// <summary>Grief, illness and abuse: no joke is told near them.</summary>
    [GeneratedRegex("去世|过世|离世|葬礼|追悼|丧|癌|肿瘤|重病|绝症|化疗|手术|住院|抢救|icu|流产|家暴|打我|猥亵|性侵|强奸|虐待|霸凌|欺负我|遗体|安乐死|走了[一二两三四五六七八九十半]", RegexOptions.IgnoreCase)]
    private static partial Regex Excluded();
}
