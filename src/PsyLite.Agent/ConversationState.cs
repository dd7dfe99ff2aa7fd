using PsyLite.Agent.Crisis;
using PsyLite.Agent.Risk;

namespace PsyLite.Agent;

/// <summary>
/// What a conversation carries from turn to turn. One instance belongs to one conversation and is used by one turn at a time;
/// it is never shared between conversations.
/// </summary>
public sealed class ConversationState
{
    /// <summary>Names the conversation on tickets; a host that keeps conversations sets its own.</summary>
    public string Id { get; init; } = Guid.NewGuid().ToString("N");

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

    /// <summary>The open call for a person to take over; null when there is none.</summary>
    public TakeoverTicket? Ticket { get; set; }

    /// <summary>Episodes of danger that called for a person so far.</summary>
    public int Episodes { get; set; }

    /// <summary>Follow-ups since danger last came up or grew.</summary>
    public int FollowUps { get; set; }

    /// <summary>When the person was last asked how they came through the day after danger.</summary>
    public DateTimeOffset? CheckedInAt { get; set; }

    /// <summary>Turn index of the last part of the script for helpers; null when no one else was spoken of.</summary>
    public int? LastHelperTurn { get; set; }

    /// <summary>Region whose help lines fit, once the person has said where they are.</summary>
    public string? Region { get; set; }

    /// <summary>Whom the person wants told in danger; null when they named nobody. Set only with their consent.</summary>
    public EmergencyContact? Contact { get; set; }

    public ContactStage ContactStage { get; set; }

    public SafetyPlan Plan { get; init; } = new();

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
        Ticket = null;
        ContactStage = ContactStage.NotAsked;
        FollowUps = 0;
        Tier = Tier.T0;
        AwaitsClearing = false;
        CalmTurns = 0;
        WorryTurns = 0;
    }
}
