namespace PsyLite.Agent.Risk;

/// <summary>How tiers rank when several signs meet, and which of them go to a crisis reply.</summary>
public static class Severity
{
    /// <summary>Position in the order of urgency: 0 nothing … 8 act begun.</summary>
    public static int Of(Tier tier) => tier switch
    {
        Tier.T0 => 0,
        Tier.T1 => 1,
        Tier.TF => 2,
        Tier.T2 => 3,
        Tier.TA => 4,
        Tier.T3 => 5,
        Tier.TO => 6,
        Tier.T4 => 7,
        _ => throw new ArgumentOutOfRangeException(nameof(tier), tier, "unknown tier"),
    };

    public static bool IsCrisis(Tier tier) => tier is Tier.T2 or Tier.T3 or Tier.T4 or Tier.TO or Tier.TA;

    /// <summary>True for tiers that only a person may lift.</summary>
    public static bool NeedsPerson(Tier tier) => tier is Tier.T3 or Tier.T4 or Tier.TO;

    public static Tier Worse(Tier left, Tier right) => Of(left) >= Of(right) ? left : right;
}
