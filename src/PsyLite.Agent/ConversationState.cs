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

    /// <summary>Turns in a row without a sign of risk.</summary>
    public int CalmTurns { get; set; }

    /// <summary>Turns at T1 in this conversation; hopelessness that comes back again and again is more than a mood.</summary>
    public int WorryTurns { get; set; }

    /// <summary>Turn index of the last turn at T1 or above; null when there was none.</summary>
    public int? LastRiskTurn { get; set; }

    /// <summary>When the last turn at T1 or above happened.</summary>
    public DateTimeOffset? LastRiskAt { get; set; }

    /// <summary>When the last turn at T2 or above happened.</summary>
    public DateTimeOffset? LastDangerAt { get; set; }

    /// <summary>T3 or above was seen and no person has cleared it yet.</summary>
    public bool AwaitsClearing { get; set; }

    /// <summary>Humour was refused in this conversation.</summary>
    public bool HumourRefused { get; set; }

    /// <summary>Turn index of the last crosstalk offer; null when there was none.</summary>
    public int? LastCrosstalkTurn { get; set; }

    /// <summary>Crosstalk pieces already offered in this conversation.</summary>
    public HashSet<string> OfferedCrosstalk { get; init; } = [];

    /// <summary>Preset replies already given, so that none is repeated word for word.</summary>
    public HashSet<string> UsedPresets { get; init; } = [];

    /// <summary>A person has looked at the conversation and lifts the tier. Nothing else may lift T3 and above.</summary>
    public void ClearedByPerson()
    {
        Tier = Tier.T0;
        AwaitsClearing = false;
        CalmTurns = 0;
        WorryTurns = 0;
    }
}
