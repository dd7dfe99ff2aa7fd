using PsyLite.Agent.Risk;

namespace PsyLite.Evaluation.Safety;

/// <summary>A labelled message with the program's verdict on it and the time that the verdict took.</summary>
public sealed record JudgedMessage(LabelledMessage Message, Assessment Verdict, double Micros)
{
    /// <summary>Set when the same dialogue, sent as a history without a state, was routed otherwise than turn by turn.</summary>
    public bool IsRoutedOtherwiseWithoutState { get; init; }

    public bool IsAlarm => Verdict.Route == Route.Danger;

    public bool IsCalledHappy => Verdict.Route == Route.Happy || Verdict.HappyEvidence.Count > 0;

    /// <summary>Danger goes to a crisis reply, a worried friend to the helper's script, everything else to neither a crisis reply.</summary>
    public bool IsRight => Message.IsDanger ? IsAlarm : Message.Tier == Tier.TF ? Verdict.Tier == Tier.TF : !IsAlarm;
}
