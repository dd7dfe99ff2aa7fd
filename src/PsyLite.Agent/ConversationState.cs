using PsyLite.Agent.Risk;

namespace PsyLite.Agent;

/// <summary>
/// What a conversation carries from turn to turn. One instance belongs to one conversation and is used by one turn at a time;
/// it is never shared between conversations.
/// </summary>
public sealed class ConversationState
{
    /// <summary>Turns taken so far.</summary>
    public int Turns { get; set; }

    /// <summary>The highest tier still in force (sticky; see the rules of the risk state).</summary>
    public Tier Tier { get; set; } = Tier.T0;

    /// <summary>Turn index of the last turn at T1 or above; null when there was none.</summary>
    public int? LastRiskTurn { get; set; }

    /// <summary>When the last turn at T1 or above happened.</summary>
    public DateTimeOffset? LastRiskAt { get; set; }

    /// <summary>Turn index of the last crosstalk offer; null when there was none.</summary>
    public int? LastCrosstalkTurn { get; set; }

    /// <summary>Crosstalk pieces already offered in this conversation.</summary>
    public HashSet<string> OfferedCrosstalk { get; } = [];

    /// <summary>Preset replies already given, so that none is repeated word for word.</summary>
    public HashSet<string> UsedPresets { get; } = [];
}
