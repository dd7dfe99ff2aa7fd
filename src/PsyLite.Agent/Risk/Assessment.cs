namespace PsyLite.Agent.Risk;

/// <summary>Where a turn goes: 0 crisis reply, 1 counselling, 2 counselling with an offer of crosstalk.</summary>
public enum Route
{
    Danger = 0,
    Normal = 1,
    Happy = 2,
}

/// <summary>
/// Risk tiers in C-SSRS order (wish, thoughts, method, intent, act): T0 none, T1 ambiguous, T2 ideation or self-injury,
/// T3 plan, means or goodbye, T4 act begun; TF a friend in danger, TO harm to others, TA abuse or a minor in danger.
/// </summary>
public enum Tier
{
    T0,
    T1,
    T2,
    T3,
    T4,
    TF,
    TO,
    TA,
}

/// <summary>One piece of evidence. <paramref name="Start"/> and <paramref name="Length"/> are UTF-16 offsets into the text as the user wrote it.</summary>
public sealed record RiskSignal(string Rule, Tier Tier, int Start, int Length);

/// <summary>The verdict on one turn. <paramref name="Score"/> is the estimated probability (0..1) that the person is in danger.</summary>
public sealed record Assessment(Route Route, Tier Tier, double Score, IReadOnlyList<RiskSignal> Signals, IReadOnlyList<string> HappyEvidence);
