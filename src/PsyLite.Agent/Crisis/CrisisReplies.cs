using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>Chooses the preset reply for a turn in danger: the first answer to a sign, or the follow-up to one already given.</summary>
internal sealed class CrisisReplies(PresetTexts texts)
{
    public string For(RiskVerdict verdict, string language, ConversationState state)
    {
        var seed = state.Turns + (verdict.Findings.Signals.Count > 0 ? Seed(verdict.Findings.Signals[0].Rule) : 0);
        var family = Family(verdict);
        return texts.Choose(texts.Has($"{family}.injury", language) && IsInjury(verdict) ? $"{family}.injury" : family, language, state.UsedPresets, seed);
    }

    /// <summary>The script for someone who worries about another person.</summary>
    public string Helper(string language, ConversationState state) => texts.Choose("TF", language, state.UsedPresets, state.Turns);

    /// <summary>The one caring question that goes under a reply at T1.</summary>
    public string GentleQuestion(string language, ConversationState state) => texts.Choose("T1", language, state.UsedPresets, state.Turns);

    internal static string Family(RiskVerdict verdict)
    {
        var now = verdict.After.Tier;
        var isNews = !Severity.IsCrisis(verdict.Before.Tier) || Severity.Of(now) > Severity.Of(verdict.Before.Tier);
        if (isNews)
        {
            return now.ToString();
        }

        var group = now switch
        {
            Tier.T3 or Tier.T4 => "acute",
            Tier.TO => "TO",
            Tier.TA => "TA",
            _ => "T2",
        };
        var answer = verdict.Findings.Has("answer.contact") ? "contact"
            : group is "TO" or "TA" ? "other"
            : verdict.Findings.Has("answer.refusal") ? "refusal"
            : verdict.Findings.Has("answer.denial") || verdict.Findings.Has("answer.better") ? "denial"
            : "other";
        return $"{group}.{answer}";
    }

    /// <summary>The only signs are of self-injury, so words about not wanting to live would put something into the person's mouth.</summary>
    private static bool IsInjury(RiskVerdict verdict)
    {
        var signs = verdict.Findings.Signals.Where(s => Severity.IsCrisis(s.Tier)).ToList();
        return signs.Count > 0 && signs.All(s => s.Rule is "T2.self-injury" or "T2.eating");
    }

    private static int Seed(string text) => text.Aggregate(17, (hash, c) => unchecked(hash * 31 + c)) & 0xFFFF;
}
