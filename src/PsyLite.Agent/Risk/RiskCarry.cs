namespace PsyLite.Agent.Risk;

/// <summary>The part of the risk state that one message turns into the next: a value, so that a turn can be judged without being recorded.</summary>
internal readonly record struct RiskCarry(Tier Tier, int CalmTurns, int WorryTurns)
{
    /// <summary>Calm turns after which T2, TA and T1 come down by one step.</summary>
    private const int CalmTurnsToLower = 3;

    /// <summary>The T1 turn that counts as T2: the same hopelessness for the third time.</summary>
    private const int WorryTurnsToRaise = 3;

    public static RiskCarry Of(ConversationState state) => new(state.Tier, state.CalmTurns, state.WorryTurns);

    /// <summary>The state after a message with these findings.</summary>
    public RiskCarry After(Findings findings)
    {
        var seen = findings.Tier;
        var worries = WorryTurns + (seen == Tier.T1 ? 1 : 0);
        if (seen == Tier.T1 && worries >= WorryTurnsToRaise)
        {
            seen = Tier.T2;
        }

        if (seen != Tier.T0 && (seen == Tier || Severity.Of(seen) >= Severity.Of(Tier)))
        {
            return new RiskCarry(seen, 0, worries);
        }

        var denied = findings.Has("answer.denial") || findings.Has("answer.better");

        // "Mm" and "whatever" after a sign of risk are no sign of calm.
        var calm = seen != Tier.T0 ? 0 : findings.IsBrief && !denied ? CalmTurns : CalmTurns + 1;
        var lowered = Tier switch
        {
            Tier.T4 => denied ? Tier.T3 : Tier.T4,
            Tier.T3 or Tier.TO => Tier,
            Tier.T2 or Tier.TA => denied || calm >= CalmTurnsToLower ? Tier.T1 : Tier,
            Tier.T1 => seen == Tier.TF ? Tier.TF : calm >= CalmTurnsToLower ? Tier.T0 : Tier.T1,
            _ => seen,
        };
        return new RiskCarry(lowered, lowered == Tier ? calm : 0, lowered == Tier.T0 && Tier != Tier.T0 ? 0 : worries);
    }
}
