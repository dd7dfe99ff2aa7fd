using PsyLite.Agent.Risk.Patterns;

namespace PsyLite.Agent.Risk;

/// <summary>What the rules see in one message, before the conversation's past is considered.</summary>
internal sealed record Findings(Tier Tier, double Score, IReadOnlyList<RiskSignal> Signals, IReadOnlyList<string> Happy)
{
    /// <summary>The message speaks of distress, though not of danger.</summary>
    public bool IsLow { get; init; }

    /// <summary>Too short to say anything but that the person is still there.</summary>
    public bool IsBrief { get; init; }

    /// <summary>Score of the surest rule that matched, 0 if none did.</summary>
    public double RuleScore { get; init; }

    /// <summary>The classifier's probability of danger; 0 when it did not run.</summary>
    public float Danger { get; init; }

    /// <summary>The classifier's probability of a good mood; in the middle when it did not run.</summary>
    public float Happiness { get; init; } = 0.5f;

    /// <summary>What the rules made of this text as features for the classifier, at places in the folded text.</summary>
    public IReadOnlyList<(int Position, uint Hash)> RuleFeatures { get; init; } = [];

    public static Findings None { get; } = new(Tier.T0, 0.01, [], []);

    public bool Has(string rulePrefix) => Signals.Any(s => s.Rule.StartsWith(rulePrefix, StringComparison.Ordinal));
}
