using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>One turn as crisis care sees it. <paramref name="IsNextDay"/>: the first turn of the day after danger.</summary>
internal sealed record CareTurn(string Text, RiskVerdict Verdict, ConversationState State, PresetVoice Voice, bool IsNextDay)
{
    /// <summary>The tier in force.</summary>
    public Tier Tier => Verdict.After.Tier;

    /// <summary>The tier that this message alone shows.</summary>
    public Tier Found => Verdict.Findings.Tier;

    /// <summary>Danger that was not there before, or more of it.</summary>
    public bool IsNews => !Severity.IsCrisis(Verdict.Before.Tier) || Severity.Of(Tier) > Severity.Of(Verdict.Before.Tier);

    /// <summary>Time to ask how the person came through, unless this message tells of danger itself.</summary>
    public bool IsCheckInDue => IsNextDay && !Severity.IsCrisis(Found);

    public string Language => Voice.Language;

    public string Say(string family, params ReadOnlySpan<(string Name, string Value)> names) => Voice.Say(family, names);
}

/// <summary>What crisis care says in place of the model, how it is audited, and what the host is told.</summary>
internal sealed record CareReply(string Text, AuditAction Action)
{
    public string? Rule { get; init; }

    public TurnEvent? Event { get; init; }
}
