using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>
/// Everything that is said without a model when someone is in danger, asks for harm, worries about another, or writes a safety plan.
/// Holds nothing of any conversation.
/// </summary>
internal sealed class CrisisCare(PresetTexts texts, CareLedger ledger, bool canReachContact)
{
    /// <summary>The time after danger from which the first turn asks how the person came through: the next day.</summary>
    private static readonly TimeSpan NextDay = TimeSpan.FromHours(20);

    public CareLedger Ledger => ledger;

    public PresetVoice Voice(TurnRequest request, string language, string recentText, bool isTraditional) =>
        new(texts, language, RegionOf.Choose(request, recentText, language, isTraditional, texts.Hotlines), request.State);

    /// <summary>True on the first turn of the day after danger. A clock that ran backwards makes nothing due.</summary>
    public static bool IsCheckInDue(ConversationState state, DateTimeOffset now) =>
        state.LastDangerAt is { } danger && now - danger >= NextDay && !(state.CheckedInAt >= danger);

    /// <summary>The reply that takes the model's place in this turn; null when the model may speak.</summary>
    public CareReply? Answer(CareTurn turn)
    {
        var reply = Choose(turn);
        if (reply is not null)
        {
            var rule = reply.Rule ?? string.Join(' ', turn.Verdict.Assessment.Signals.Select(s => s.Rule).Distinct());
            ledger.Note(turn.State, turn.Tier, rule, reply.Action);
        }

        return reply;
    }

    /// <summary>What crisis care adds under a model's reply: the caring question at T1, the plan or the question of the day after.</summary>
    public static string? Addition(CareTurn turn) =>
        turn.Found == Tier.T1 ? turn.Say("T1")
        : turn.IsCheckInDue ? turn.Say("checkin.short")
        : turn.Verdict.Before.Tier == Tier.T2 && turn.Tier == Tier.T1 ? PlanWriter.Offer(turn)
        : null;

    private CareReply? Choose(CareTurn turn)
    {
        if (turn.Verdict.Assessment.Route == Route.Danger)
        {
            return ContactFlow.Reply(turn, canReachContact) ?? PlanWriter.Reply(turn) ?? CrisisReplies.For(turn);
        }

        if (turn.Verdict.Findings.Signals.FirstOrDefault(s => s.Rule.StartsWith("harm.", StringComparison.Ordinal)) is { } harm)
        {
            return new CareReply(turn.Say(harm.Rule), AuditAction.Refusal) { Rule = harm.Rule };
        }

        return PlanWriter.Reply(turn) ?? HelperScript.Reply(turn);
    }
}
