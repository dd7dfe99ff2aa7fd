using PsyLite.Agent.Risk.Patterns;

namespace PsyLite.Agent.Risk;

/// <summary>What the rules see in one message, before the conversation's past is considered.</summary>
internal sealed record Findings(Tier Tier, double Score, IReadOnlyList<RiskSignal> Signals, IReadOnlyList<string> Happy)
{
    /// <summary>The message speaks of distress, though not of danger.</summary>
    public bool IsLow { get; init; }

    /// <summary>Too short to say anything but that the person is still there.</summary>
    public bool IsBrief { get; init; }

    public static Findings None { get; } = new(Tier.T0, 0.01, [], []);

    public bool Has(string rulePrefix) => Signals.Any(s => s.Rule.StartsWith(rulePrefix, StringComparison.Ordinal));
}
