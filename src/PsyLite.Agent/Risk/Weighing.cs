using PsyLite.Agent.Risk.Patterns;

namespace PsyLite.Agent.Risk;

/// <summary>
/// Weighs the matches of one reading of one message: who is spoken of, what excuses a phrase, which signs need company, what they amount
/// to together.
/// </summary>
internal sealed class Weighing(RuleBook book, NormalisedText view, ILookup<string, RuleMatch> circumstances)
{
    /// <summary>Weight in the score of a sign that was excused down to a lower tier.</summary>
    private const double ExcusedScore = 0.2;

    /// <summary>Points from which small signs together are taken for ideation, and for worry.</summary>
    private const double EvidenceOfIdeation = 0.8;
    private const double EvidenceOfWorry = 0.6;

    /// <summary>Points from which a message is taken to be happy.</summary>
    private const double GoodMood = 0.6;
    private const double Rounding = 1e-9;

    /// <summary>Characters to either side that can be one sentence; people who write without full stops change the subject sooner.</summary>
    private const int Reach = 100;

    /// <summary>Characters within which small signs belong together.</summary>
    private const int OneBreath = 48;
    private readonly string _text = view.Text;
    private readonly Speaker _speaker = new(view.Text);
    private readonly List<(RuleMatch Match, Tier Tier)> _accepted = [];

    public Findings Weigh(IReadOnlyList<RuleMatch> matches)
    {
        foreach (var match in matches.Where(m => m.Rule.With.Count == 0))
        {
            Accept(match);
        }

        foreach (var match in matches.Where(m => m.Rule.With.Count > 0))
        {
            if (match.Rule.With.Any(needed => IsPresent(needed, match)))
            {
                Accept(match);
            }
        }

        var tier = Tier.T0;
        var calm = 0.99;
        foreach (var group in _accepted.Where(a => a.Tier != Tier.T0).GroupBy(a => a.Match.Rule))
        {
            var worst = group.Aggregate(Tier.T0, (w, a) => Severity.Worse(w, a.Tier));
            tier = Severity.Worse(tier, worst);
            calm *= 1 - (worst == group.Key.Tier ? group.Key.Score : ExcusedScore);
        }

        List<RiskSignal> signals = [.. Signals().Distinct()];
        var points = MostPoints();
        var evident = points >= EvidenceOfIdeation - Rounding ? Tier.T2 : points >= EvidenceOfWorry - Rounding ? Tier.T1 : Tier.T0;
        if (Severity.Of(evident) > Severity.Of(tier))
        {
            tier = evident;
            calm = Math.Min(calm, 1 - (points / (1 + points)));
            signals.Add(EvidenceSignal(evident));
        }

        return new Findings(tier, Math.Clamp(1 - calm, 0.01, 0.99), signals, [.. Happy().Distinct()])
        {
            IsLow = _accepted.Any(a => a.Match.Rule.Id.StartsWith("distress.", StringComparison.Ordinal)),
        };
    }

    public bool IsExcused(RuleMatch match)
    {
        var rule = match.Rule;
        if (!rule.HasNot && rule.Unless.Count == 0)
        {
            return false;
        }

        var (sentenceStart, sentenceEnd) = Around(match.Start, NormalisedText.SentenceEnds);
        bool Holds(RuleMatch c) => c.Start >= sentenceStart && c.Start < sentenceEnd;
        if (rule.HasNot && circumstances[rule.Id].Any(c => c.Rule.Kind == RuleKind.Not && Holds(c)))
        {
            return true;
        }

        var clauseStart = Around(match.Start, NormalisedText.ClauseEnds).Start;
        return rule.Unless.Any(name =>
            (circumstances[name].Any(c => c.Rule.Kind == RuleKind.Anywhere || (c.Rule.Kind == RuleKind.Near && Holds(c)))
                || book.IsWordedAs(name, _text.AsSpan(clauseStart, match.Start - clauseStart), _text.AsSpan(match.Start, match.Length)))
            && !circumstances[name].Any(c => c.Rule.Kind == RuleKind.Cancels));
    }

    private void Accept(RuleMatch match)
    {
        var rule = match.Rule;
        var excused = IsExcused(match);
        if (rule.Kind != RuleKind.Risk)
        {
            if (!excused && (rule.Kind == RuleKind.Happy || rule.Points <= 0 || SubjectOf(match) == Subject.Self))
            {
                _accepted.Add((match, Tier.T0));
            }

            return;
        }

        var tier = excused ? rule.Otherwise : rule.Tier;
        if (tier is Tier.T1 or Tier.T2 or Tier.T3 or Tier.T4 && !rule.Anyone)
        {
            tier = SubjectOf(match) switch
            {
                Subject.Acquaintance => tier == Tier.T1 ? Tier.T0 : Tier.TF,
                Subject.Distant => Tier.T0,
                _ => tier,
            };
        }

        if (tier != Tier.T0)
        {
            _accepted.Add((match, tier));
        }
    }

    private Subject SubjectOf(RuleMatch match) =>
        _speaker.Of(Around(match.Start, NormalisedText.SentenceEnds).Start, match.Start, match.Length);

    private bool IsPresent(string needed, RuleMatch match) => _accepted.Any(a => a.Match != match && (needed == "danger"
        ? Severity.IsCrisis(a.Tier)
        : a.Match.Rule.Id.StartsWith(needed, StringComparison.Ordinal)));

    private IEnumerable<RiskSignal> Signals()
    {
        foreach (var (match, tier) in _accepted)
        {
            if (tier != Tier.T0 || match.Rule.Kind is RuleKind.Harm or RuleKind.Answer)
            {
                var (start, length) = view.Original(match.Start, match.Length);
                yield return new RiskSignal(match.Rule.Id, tier, start, length);
            }
        }
    }

    /// <summary>
    /// The most points that signs close to each other add up to. A long post touches many things; only those said in one breath support
    /// each other. What speaks for an everyday matter counts wherever it stands.
    /// </summary>
    private double MostPoints()
    {
        var everyday = _accepted.Select(a => a.Match.Rule).Where(r => r.Kind == RuleKind.Feature && r.Points < 0).Distinct().Sum(r => r.Points);
        var most = 0.0;
        var all = _accepted.Where(a => a.Match.Rule.Kind != RuleKind.Happy && a.Match.Rule.Points > 0).Select(a => a.Match).ToList();

        // A word inside a longer sign has been counted with it.
        var signs = all.Where(s => !all.Any(o => o.Rule != s.Rule && o.Length > s.Length && o.Start <= s.Start && o.Start + o.Length >= s.Start + s.Length)).ToList();
        foreach (var first in signs)
        {
            var close = signs.Where(s => s.Start >= first.Start && s.Start < first.Start + OneBreath);
            most = Math.Max(most, close.Select(s => s.Rule).Distinct().Sum(r => r.Points));
        }

        return most + everyday;
    }

    private RiskSignal EvidenceSignal(Tier tier)
    {
        var most = _accepted.Where(a => a.Match.Rule.Kind != RuleKind.Happy).MaxBy(a => a.Match.Rule.Points).Match;
        var (start, length) = view.Original(most.Start, most.Length);
        return new RiskSignal($"{tier}.evidence", tier, start, length);
    }

    /// <summary>The words of good mood, when they outweigh those of bad mood.</summary>
    private IEnumerable<string> Happy()
    {
        var signs = _accepted.Where(a => a.Match.Rule.Kind == RuleKind.Happy).Select(a => a.Match).ToList();
        var mood = signs.Select(s => s.Rule).Distinct().Sum(r => r.Points);
        return mood >= GoodMood - Rounding ? signs.Where(s => s.Rule.Points > 0).Select(s => _text.Substring(s.Start, s.Length)) : [];
    }

    private (int Start, int End) Around(int position, string ends)
    {
        var start = position;
        while (start > 0 && position - start < Reach && !ends.Contains(_text[start - 1]))
        {
            start--;
        }

        var end = position;
        while (end < _text.Length && end - position < Reach && !ends.Contains(_text[end]))
        {
            end++;
        }

        return (start, end);
    }
}
