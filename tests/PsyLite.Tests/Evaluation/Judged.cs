using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Safety;

namespace PsyLite.Tests.Evaluation;

/// <summary>Labelled messages with made-up verdicts.</summary>
internal static class Judged
{
    public static JudgedMessage As(
        Tier labelled, Tier judged, double score = 0.5, string kind = "k", string source = "s", LabelledMood mood = LabelledMood.None, bool isHappy = false, params string[] turns)
    {
        var message = new LabelledMessage(source, 1, labelled, mood, kind, turns.Length > 0 ? turns : ["话"], -1, -1, true);
        var route = Severity.IsCrisis(judged) ? Route.Danger : isHappy ? Route.Happy : Route.Normal;
        return new JudgedMessage(message, new Assessment(route, judged, score, [], isHappy ? ["mood"] : []), 10);
    }
}
