using PsyLite.Agent.Risk;

namespace PsyLite.Evaluation.Safety;

/// <summary>Mood of a message without risk.</summary>
public enum LabelledMood
{
    None,
    Happy,
    Sad,
    Angry,
    Neutral,
}

/// <summary>
/// One labelled message or dialogue. <paramref name="Turns"/> alternate between the person and the program and end with the person; the label
/// is that of the last turn. <paramref name="MarkStart"/> and <paramref name="MarkEnd"/> bound the telling clause of the last turn, -1 when unknown.
/// </summary>
public sealed record LabelledMessage(
    string Source, int Line, Tier Tier, LabelledMood Mood, string Kind, IReadOnlyList<string> Turns, int MarkStart, int MarkEnd, bool IsHeldBack)
{
    public string Text => Turns[^1];

    public bool IsDialogue => Turns.Count > 1;

    public bool IsDanger => Severity.IsCrisis(Tier);
}
