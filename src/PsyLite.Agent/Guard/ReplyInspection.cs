using PsyLite.Agent.Crisis;

namespace PsyLite.Agent.Guard;

/// <summary>
/// Holds whole replies, such as those of training data, against the rules that guard a reply while it streams. Safe for concurrent use.
/// </summary>
public sealed class ReplyInspection
{
    private readonly HotlineDirectory _hotlines = new();

    /// <returns>The rule that the reply or its reasoning breaks, such as guard.method; null when neither breaks one.</returns>
    public string? Broken(string reply, string? reasoning = null) => Rule(reply, GuardRule.All) ?? (reasoning is null ? null : Rule(reasoning, GuardRule.ForReasoning));

    private string? Rule(string text, IReadOnlyList<GuardRule> rules)
    {
        var guard = new ReplyGuard(_hotlines, rules);
        return (guard.Add(text).Broken ?? guard.Finish().Broken)?.Id;
    }
}
