using Microsoft.Extensions.AI;

namespace PsyLite.Agent.Crisis;

/// <summary>
/// Callers without a state send the conversation again. Our own earlier words in it tell which presets were heard and how far
/// a safety plan has come, so that nothing is repeated and nothing that was written is lost.
/// </summary>
internal static class CareReplay
{
    public static void Restore(TurnRequest request, PresetTexts texts)
    {
        var state = request.State;
        if (state.Turns > 0 || !request.Messages.Any(m => m.Role == ChatRole.Assistant))
        {
            return;
        }

        var heard = request.Messages.Select(m => m.Role == ChatRole.Assistant ? texts.Recognise(m.Text ?? "").Select(p => p.Id).ToList() : []).ToList();
        for (var i = 0; i < heard.Count; i++)
        {
            state.UsedPresets.UnionWith(heard[i]);
            foreach (var family in heard[i].Select(Family).Where(f => f.StartsWith("plan.", StringComparison.Ordinal)))
            {
                var answer = i + 2 < heard.Count && request.Messages[i + 1].Role == ChatRole.User ? request.Messages[i + 1].Text ?? "" : "";
                var wentOn = i + 2 < heard.Count && heard[i + 2].Exists(id => id.StartsWith("plan.", StringComparison.Ordinal));
                PlanWriter.Replay(state.Plan, family, answer, wentOn);
            }

            state.FollowUps += heard[i].Exists(IsFollowUp) ? 1 : 0;
            state.LastHelperTurn = heard[i].Exists(id => id.StartsWith("TF", StringComparison.Ordinal))
                ? request.Messages.Take(i).Count(m => m.Role == ChatRole.User)
                : state.LastHelperTurn;
        }
    }

    private static bool IsFollowUp(string id) =>
        Family(id) is "T2.contact" or "T2.refusal" or "T2.denial" or "T2.other" || id.StartsWith("acute.", StringComparison.Ordinal);

    private static string Family(string id) => id[..id.IndexOf('/', StringComparison.Ordinal)];
}
