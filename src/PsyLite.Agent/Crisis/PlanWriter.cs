using System.Text;
using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>Leads through a safety plan, one step a turn, and gives way to danger at once.</summary>
internal static class PlanWriter
{
    /// <summary>The reply that belongs to the plan in this turn; null when it has none.</summary>
    public static CareReply? Reply(CareTurn turn)
    {
        var plan = turn.State.Plan;
        if (Interrupts(turn, plan))
        {
            plan.Stage = plan.Stage is PlanStage.Writing or PlanStage.Offered ? PlanStage.Left : plan.Stage;
            return null;
        }

        var text = Read(turn, plan);
        return text is null ? null : new CareReply(text, AuditAction.PlanTurn);
    }

    /// <summary>The offer, made once: after the person has answered, while danger is neither new nor acute.</summary>
    public static string? Offer(CareTurn turn)
    {
        var plan = turn.State.Plan;
        if (plan.WasOffered || plan.Stage != PlanStage.None)
        {
            return null;
        }

        plan.WasOffered = true;
        plan.Stage = PlanStage.Offered;
        return turn.Say("plan.offer");
    }

    /// <summary>Repeats on a plan what a history shows: our words in <paramref name="family"/>, then the person's, then whether we went on.</summary>
    public static void Replay(SafetyPlan plan, string family, string answer, bool wentOn)
    {
        if (family == "plan.offer")
        {
            (plan.WasOffered, plan.Stage) = (true, PlanStage.Offered);
        }
        else if (Asked(family) is { } step)
        {
            (plan.WasOffered, plan.Stage, plan.Step) = (true, PlanStage.Writing, step);
            var wish = PlanWishes.WhileWriting(answer).Wish;
            if (wentOn && wish is PlanWish.None or PlanWish.Skip)
            {
                plan.Answer(wish == PlanWish.None ? answer.Trim() : null);
            }
        }
        else if (family is "plan.left" or "plan.declined")
        {
            plan.Stage = PlanStage.Left;
        }
        else if (family == "plan.done")
        {
            plan.Stage = PlanStage.Done;
        }
    }

    /// <summary>
    /// New signs come first. Words of despair are what the first step asks for, and the last one speaks of means: there only
    /// what is worse than the danger already known interrupts.
    /// </summary>
    private static bool Interrupts(CareTurn turn, SafetyPlan plan)
    {
        if (!Severity.IsCrisis(turn.Found))
        {
            return false;
        }

        var isAsked = plan.Stage == PlanStage.Writing && plan.Step is PlanStep.Signs or PlanStep.Surroundings;
        return !isAsked || turn.Found != Tier.T2 || turn.IsNews;
    }

    private static string? Read(CareTurn turn, SafetyPlan plan)
    {
        var (wish, step) = plan.Stage == PlanStage.Writing ? PlanWishes.WhileWriting(turn.Text) : PlanWishes.Anytime(turn.Text);
        if (plan.Stage == PlanStage.Offered && wish == PlanWish.None)
        {
            return TakeUp(turn, plan);
        }

        switch (wish)
        {
            case PlanWish.Show:
                return plan.Answers.Count > 0 ? turn.Say("plan.shown", ("plan", Written(turn, plan))) : Begin(turn, plan);
            case PlanWish.Revise:
                plan.IsRevision = plan.Stage == PlanStage.Done;
                return Ask(turn, plan, step!.Value);
            case PlanWish.Start:
                return Begin(turn, plan);
            case PlanWish.Leave when plan.Stage is PlanStage.Writing or PlanStage.Offered:
                plan.Stage = PlanStage.Left;
                return turn.Say("plan.left");
            case PlanWish.Why when plan.Stage == PlanStage.Writing:
                return turn.Say("plan.why");
            case PlanWish.Back when plan.Stage == PlanStage.Writing:
                return Ask(turn, plan, plan.Step == PlanStep.Signs ? PlanStep.Signs : plan.Step - 1);
            default:
                return plan.Stage == PlanStage.Writing ? Next(turn, plan, wish == PlanWish.Skip ? null : turn.Text.Trim()) : null;
        }
    }

    private static string? TakeUp(CareTurn turn, SafetyPlan plan)
    {
        switch (Consent.Read(turn.Text))
        {
            case Answered.Yes:
                return Begin(turn, plan);
            case Answered.No:
                plan.Stage = PlanStage.Left;
                return turn.Say("plan.declined");
            default:
                plan.Stage = PlanStage.Left;
                return null;
        }
    }

    private static string Begin(CareTurn turn, SafetyPlan plan)
    {
        if (plan.Stage == PlanStage.Done)
        {
            return turn.Say("plan.shown", ("plan", Written(turn, plan)));
        }

        plan.WasOffered = true;
        return Ask(turn, plan, plan.Step);
    }

    private static string Next(CareTurn turn, SafetyPlan plan, string? answer)
    {
        plan.Answer(answer is { Length: 0 } ? null : answer);
        return plan.Stage == PlanStage.Done ? turn.Say("plan.done", ("plan", Written(turn, plan))) : Ask(turn, plan, plan.Step);
    }

    private static string Ask(CareTurn turn, SafetyPlan plan, PlanStep step)
    {
        (plan.Stage, plan.Step) = (PlanStage.Writing, step);
        return turn.Say(Family(step));
    }

    private static string Family(PlanStep step) => $"plan.{step.ToString().ToLowerInvariant()}";

    private static PlanStep? Asked(string family) =>
        Enum.GetValues<PlanStep>().Where(s => Family(s) == family).Select(s => (PlanStep?)s).FirstOrDefault();

    /// <summary>The plan as lines, one a step; what the person wrote stays on its own line.</summary>
    private static string Written(CareTurn turn, SafetyPlan plan)
    {
        var lines = new StringBuilder();
        foreach (var (step, answer) in plan.Answers)
        {
            lines.Append('\n').Append((int)step + 1).Append(". ").Append(turn.Say($"{Family(step)}.title"))
                .Append(turn.Language == "en" ? ": " : "：").Append(answer.ReplaceLineEndings(" "));
        }

        return lines.Append('\n').ToString();
    }
}
