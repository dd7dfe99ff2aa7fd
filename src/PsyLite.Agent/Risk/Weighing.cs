using PsyLite.Agent.Risk.Learned;
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

    /// <summary>Characters to either side that can be one sentence; people who write without full stops change the subject sooner.</summary>
    private const int Reach = 100;

    private readonly string _text = view.Text;
    private readonly Speaker _speaker = new(view.Text);
    private readonly List<(RuleMatch Match, Tier Tier)> _accepted = [];
    private readonly List<RuleMatch> _excused = [];

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
        return new Findings(tier, Math.Clamp(1 - calm, 0.01, 0.99), signals, [.. Happy().Distinct()])
        {
            RuleScore = _accepted.Where(a => a.Tier != Tier.T0 && a.Tier == a.Match.Rule.Tier).Select(a => a.Match.Rule.Score).DefaultIfEmpty(0).Max(),
            RuleFeatures = [.. _accepted.Select(a => (a.Match.Start, MessageFeatures.Rule(a.Match.Rule.Id, a.Tier))), .. _excused.Select(m => (m.Start, MessageFeatures.Rule(m.Rule.Id, null)))],
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
            if (!excused)
            {
                _accepted.Add((match, Tier.T0));
            }

            return;
        }

        if (excused)
        {
            _excused.Add(match);
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

    private IEnumerable<string> Happy() =>
        _accepted.Where(a => a.Match.Rule.Kind == RuleKind.Happy).Select(a => _text.Substring(a.Match.Start, a.Match.Length));

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
