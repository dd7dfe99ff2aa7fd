namespace PsyLite.Agent.Risk;

/// <summary>Writes a turn's verdict into the conversation's state.</summary>
internal static class RiskLedger
{
    /// <summary>Score of a turn whose judge failed: nothing is known, so nothing is ruled out.</summary>
    public const double ScoreWithoutJudge = 0.3;
    private static readonly string[] BareWords =
        ["死", "自杀", "不想活", "活不下去", "遗书", "割腕", "跳楼", "自残", "结束生命", "自尽", "轻生", "撑不下去", "解脱", "suicide", "kill myself", "die"];

    public static void Record(ConversationState state, RiskVerdict verdict, bool refusesHumour, DateTimeOffset now)
    {
        state.Turns = state.Turns == 0 ? Math.Max(1, verdict.UserTurns) : state.Turns + 1;
        state.HumourRefused |= refusesHumour;
        var tier = verdict.After.Tier;
        if (verdict.LastRiskTurn is { } earlier)
        {
            state.LastRiskTurn ??= earlier;
            state.LastRiskAt ??= now;
        }

        if (tier != Tier.T0)
        {
            state.LastRiskTurn = state.Turns;
            state.LastRiskAt = now;
        }

        if (Severity.IsCrisis(tier) || Severity.IsCrisis(verdict.Before.Tier))
        {
            state.LastDangerAt = now;
        }

        state.AwaitsClearing |= Severity.NeedsPerson(tier);
        state.Tier = tier;
        state.CalmTurns = verdict.After.CalmTurns;
        state.WorryTurns = verdict.After.WorryTurns;
    }

    /// <summary>Raises a recorded verdict to T2 on the model's word.</summary>
    public static RiskVerdict Raise(ConversationState state, RiskVerdict verdict, DateTimeOffset now)
    {
        var findings = verdict.Findings with { Tier = Tier.T2, Signals = [.. verdict.Findings.Signals, new RiskSignal("judge.danger", Tier.T2, 0, 0)] };
        var after = new RiskCarry(Tier.T2, 0, verdict.After.WorryTurns);
        state.Tier = Tier.T2;
        state.CalmTurns = 0;
        state.LastRiskTurn = state.Turns;
        state.LastRiskAt = state.LastDangerAt = now;
        var score = Math.Max(verdict.Assessment.Score, Fusion.Danger);
        return verdict with { Assessment = new Assessment(Route.Danger, Tier.T2, score, findings.Signals, []), Findings = findings, After = after };
    }

    /// <summary>The verdict when the rules themselves cannot run.</summary>
    public static RiskVerdict WithoutRules(TurnRequest request)
    {
        var users = request.Messages.Where(m => m.Role == Microsoft.Extensions.AI.ChatRole.User).ToList();
        var text = users.LastOrDefault()?.Text ?? "";
        var seen = BareWords.Any(w => text.Contains(w, StringComparison.OrdinalIgnoreCase)) ? Tier.T2 : Tier.T1;
        var before = RiskCarry.Of(request.State);
        var after = new RiskCarry(Severity.Worse(seen, before.Tier), 0, before.WorryTurns);
        var findings = new Findings(seen, 0.5, [new RiskSignal("rules.failed", seen, 0, 0)], []);
        var route = Severity.IsCrisis(after.Tier) ? Route.Danger : Route.Normal;
        return new RiskVerdict(new Assessment(route, after.Tier, 0.5, findings.Signals, []), findings, before, after, users.Count, null);
    }
}
