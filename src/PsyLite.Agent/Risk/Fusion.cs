using PsyLite.Agent.Risk.Learned;

namespace PsyLite.Agent.Risk;

/// <summary>
/// Brings rules and classifier to one verdict on a message. The classifier has seen the rules' outcome as a feature, so it speaks last in doubt;
/// rules that name danger in so many words stand whatever it says. Thresholds are probabilities; docs/experiments.md tells how they were chosen.
/// </summary>
internal static class Fusion
{
    /// <summary>Rule name of what the classifier alone has seen.</summary>
    public const string Learned = "learned";

    /// <summary>Danger by the classifier alone.</summary>
    public const float Danger = 0.45f;

    /// <summary>Danger beyond doubt.</summary>
    public const float Clear = 0.8f;

    /// <summary>From here on a model may be asked, and a worried question is due.</summary>
    public const float Unsure = 0.35f;

    /// <summary>Below this a rule's alarm is taken back to a worried question, unless the rule is a firm one.</summary>
    private const float RuleDoubted = 0.25f;

    /// <summary>Score of rules that need no second opinion.</summary>
    private const double Firm = 0.9;
    private const float Kind = 0.5f;

    /// <summary>Harm to others or abuse where danger as a whole stays below its mark.</summary>
    private const float KindAlone = 0.35f;
    private const float Worry = 0.65f;
    private const float Friend = 0.3f;

    /// <summary>A request for harmful help by the classifier.</summary>
    private const float HarmfulRequest = 0.6f;

    /// <summary>Good mood by the classifier, and how much bad mood it may hold besides.</summary>
    private const float Happy = 0.35f;
    private const float HappyWithoutWords = 0.45f;
    private const float Low = 0.5f;

    /// <summary>Above this probability of a good mood the model is asked as well, however sure: a joke wants two who agree.</summary>
    private const float SurelyNotHappy = 0.05f;

    public static bool MayBeHappy(Findings findings) => !findings.IsLow && findings.Happiness > SurelyNotHappy;

    public static Findings Fuse(Findings rules, RiskScores scores, int textLength, Func<int, int, (int Start, int Length)> original)
    {
        var danger = scores[RiskOutput.Danger];
        var learned = TierOf(scores);
        var ruled = rules.Tier;
        if (Severity.IsCrisis(ruled) && danger < RuleDoubted && rules.RuleScore < Firm)
        {
            ruled = Tier.T1;
        }

        // The rules know whom a sentence is about; the classifier must be very sure to make the writer of it the one in danger.
        var isFriends = ruled == Tier.TF && learned is Tier.T1 or Tier.T2 or Tier.T3 or Tier.T4 && danger < Clear;
        var tier = isFriends ? Tier.TF : Severity.Worse(ruled, learned);

        var signals = rules.Signals;
        if (learned != Tier.T0 && Severity.Of(learned) >= Severity.Of(ruled))
        {
            var (start, length) = original(scores.WindowStart, scores.WindowEnd - scores.WindowStart);
            signals = [.. signals, new RiskSignal(Learned, learned, start, length)];
        }

        if (scores[RiskOutput.HarmfulRequest] >= HarmfulRequest && !rules.Has("harm."))
        {
            signals = [.. signals, new RiskSignal("harm.request", Tier.T0, 0, original(0, textLength).Length)];
        }

        var isLow = rules.IsLow || scores[RiskOutput.Sad] >= Low || scores[RiskOutput.Angry] >= Low;
        var isHappy = scores[RiskOutput.Happy] >= (rules.Happy.Count > 0 ? Happy : HappyWithoutWords);
        return rules with
        {
            Tier = tier,
            Score = Severity.IsCrisis(tier) ? Math.Max(danger, Math.Min(rules.Score, 0.99)) : Math.Min(danger, Danger),
            Signals = signals,
            Happy = Severity.IsCrisis(tier) || !isHappy ? [] : rules.Happy.Count > 0 ? rules.Happy : ["mood"],
            IsLow = isLow && !isHappy,
            Danger = danger,
            Happiness = scores[RiskOutput.Happy],
        };
    }

    private static Tier TierOf(RiskScores scores)
    {
        if (scores[RiskOutput.Friend] >= Friend && scores[RiskOutput.Friend] > scores[RiskOutput.Danger])
        {
            return Tier.TF;
        }

        if (scores[RiskOutput.Danger] < Danger)
        {
            return scores[RiskOutput.Harm] >= KindAlone ? Tier.TO
                : scores[RiskOutput.Abuse] >= KindAlone ? Tier.TA
                : scores[RiskOutput.Worry] >= Worry || scores[RiskOutput.Danger] >= Unsure ? Tier.T1
                : Tier.T0;
        }

        var (harm, abuse) = (scores[RiskOutput.Harm], scores[RiskOutput.Abuse]);
        return harm >= Kind && harm >= abuse ? Tier.TO
            : abuse >= Kind ? Tier.TA
            : scores[RiskOutput.Act] >= Kind ? Tier.T4
            : scores[RiskOutput.Acute] >= Kind ? Tier.T3
            : Tier.T2;
    }
}
