using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>Chooses the preset reply for a turn in danger: the first answer to a sign, or the follow-up to one already given.</summary>
internal static class CrisisReplies
{
    /// <summary>Follow-ups after which a safety plan is offered: first whether someone was reached, then the plan.</summary>
    private const int FollowUpsBeforeOffer = 2;

    public static CareReply For(CareTurn turn)
    {
        var state = turn.State;
        state.FollowUps = turn.IsNews ? 0 : state.FollowUps + 1;
        if (turn.IsCheckInDue)
        {
            return new CareReply(turn.Say("checkin"), AuditAction.CrisisReply);
        }

        if (MayOfferPlan(turn) && PlanWriter.Offer(turn) is { } offer)
        {
            return new CareReply(offer, AuditAction.PlanTurn);
        }

        var family = Family(turn.Verdict);
        family = turn.Voice.Has($"{family}.injury") && IsInjury(turn.Verdict) ? $"{family}.injury" : family;
        var signals = turn.Verdict.Findings.Signals;
        return new CareReply(turn.Voice.SayFrom(family, signals.Count > 0 ? Seed(signals[0].Rule) : 0), AuditAction.CrisisReply);
    }

    internal static string Family(RiskVerdict verdict)
    {
        var now = verdict.After.Tier;
        var isNews = !Severity.IsCrisis(verdict.Before.Tier) || Severity.Of(now) > Severity.Of(verdict.Before.Tier);
        if (isNews)
        {
            return now.ToString();
        }

        var group = now switch
        {
            Tier.T3 or Tier.T4 => "acute",
            Tier.TO => "TO",
            Tier.TA => "TA",
            _ => "T2",
        };
        var isRefused = verdict.Findings.Has("answer.refusal");
        var isIntended = verdict.Findings.Has("answer.intend") && !isRefused;
        var answer = verdict.Findings.Has("answer.contact") && !isIntended ? "contact"
            : group is "TO" or "TA" ? "other"
            : isRefused ? "refusal"
            : isIntended ? "intend"
            : verdict.Findings.Has("answer.denial") || verdict.Findings.Has("answer.better") ? "denial"
            : "other";
        return $"{group}.{answer}";
    }

    /// <summary>Nothing new was said, nobody was refused, and the question after contact has been asked.</summary>
    private static bool MayOfferPlan(CareTurn turn) =>
        turn.Tier == Tier.T2 && !turn.IsNews && !Severity.IsCrisis(turn.Found)
        && turn.State.FollowUps >= FollowUpsBeforeOffer && !turn.Verdict.Findings.Has("answer.refusal");

    /// <summary>The only signs are of self-injury, so words about not wanting to live would put something into the person's mouth.</summary>
    private static bool IsInjury(RiskVerdict verdict)
    {
        var signs = verdict.Findings.Signals.Where(s => Severity.IsCrisis(s.Tier)).ToList();
        return signs.Count > 0 && signs.All(s => s.Rule is "T2.self-injury" or "T2.eating");
    }

    private static int Seed(string text) => text.Aggregate(17, (hash, c) => unchecked(hash * 31 + c)) & 0xFFFF;
}
