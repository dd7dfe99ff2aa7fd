using PsyLite.Agent.Risk.Patterns;

namespace PsyLite.Agent.Risk;

/// <summary>Applies the rules with their contexts to one message. Immutable; one instance serves all conversations.</summary>
internal sealed class MessageReader
{
    /// <summary>Longer messages are read in full up to here and then only at their end, where the point usually stands.</summary>
    private const int LongestRead = 8000;
    private const char Masked = '\uE000';
    private readonly TextNormaliser _normaliser = new();
    private readonly RuleBook _book;

    public MessageReader() => _book = new RuleBook(_normaliser);

    public RuleBook Book => _book;

    public TextNormaliser Normaliser => _normaliser;

    public Findings Read(string message)
    {
        if (message.Length > 2 * LongestRead)
        {
            var head = Read(message[..LongestRead]);
            var tail = Read(message[^LongestRead..]);
            var shift = message.Length - LongestRead;
            return Merge(head, tail with { Signals = [.. tail.Signals.Select(s => s with { Start = s.Start + shift })] });
        }

        var view = _normaliser.Fold(message);
        var findings = ReadView(view);
        if (TextNormaliser.Joined(view) is { } joined)
        {
            findings = Merge(findings, ReadView(joined));
        }

        if (TextNormaliser.Reversed(view) is { } reversed && ReadReversed(reversed) is { } hidden)
        {
            findings = Merge(findings, hidden);
        }

        return findings;
    }

    private static Findings Merge(Findings left, Findings right) => new(
        Severity.Worse(left.Tier, right.Tier),
        Math.Max(left.Score, right.Score),
        [.. left.Signals.Concat(right.Signals).Distinct()],
        Severity.IsCrisis(right.Tier) ? [] : [.. left.Happy.Concat(right.Happy).Distinct()])
    {
        IsLow = left.IsLow || right.IsLow,
    };

    /// <summary>A backwards reading counts only when it explains most of the message; chance pairs of characters do not.</summary>
    private Findings? ReadReversed(NormalisedText view)
    {
        var letters = view.Text.Count(TextNormaliser.IsHan);
        var matches = _book.Find(view.Text, kind => kind == RuleKind.Risk)
            .Where(m => Severity.IsCrisis(m.Rule.Tier) && m.Rule.With.Count == 0 && m.Length >= 3 && m.Length * 2 >= letters).ToList();
        if (matches.Count == 0)
        {
            return null;
        }

        var worst = matches.MaxBy(m => Severity.Of(m.Rule.Tier));
        return new Findings(worst.Rule.Tier, worst.Rule.Score, [Signal(view, worst, worst.Rule.Tier)], []);
    }

    private Findings ReadView(NormalisedText view)
    {
        var matches = _book.Find(view.Text, _ => true);
        if (matches.Count == 0)
        {
            return Findings.None;
        }

        if (matches.Any(m => m.Rule.Kind == RuleKind.Mask))
        {
            var masked = view.Text.ToCharArray();
            foreach (var mask in matches.Where(m => m.Rule.Kind == RuleKind.Mask && !IsExcused(view.Text, m)))
            {
                masked.AsSpan(mask.Start, mask.Length).Fill(Masked);
            }

            view = view with { Text = new string(masked) };
            matches = _book.Find(view.Text, kind => kind != RuleKind.Mask);
        }

        return Weigh(view, matches);
    }

    private Findings Weigh(NormalisedText view, List<RuleMatch> matches)
    {
        var accepted = new List<(RuleMatch Match, Tier Tier)>();
        foreach (var match in matches.Where(m => m.Rule.With.Count == 0))
        {
            Accept(view.Text, match, accepted);
        }

        foreach (var match in matches.Where(m => m.Rule.With.Count > 0))
        {
            if (match.Rule.With.Any(needed => IsPresent(needed, match, accepted)))
            {
                Accept(view.Text, match, accepted);
            }
        }

        var tier = accepted.Aggregate(Tier.T0, (worst, a) => Severity.Worse(worst, a.Tier));
        var calm = accepted.Where(a => a.Tier != Tier.T0).GroupBy(a => a.Match.Rule)
            .Aggregate(0.99, (rest, g) => rest * (1 - (g.Max(a => a.Tier) == g.Key.Tier ? g.Key.Score : 0.2)));
        var signals = accepted.Where(a => a.Tier != Tier.T0 || a.Match.Rule.Kind is RuleKind.Harm or RuleKind.Answer)
            .Select(a => Signal(view, a.Match, a.Tier)).Distinct().ToList();
        var happy = accepted.Where(a => a.Match.Rule.Kind == RuleKind.Happy)
            .Select(a => view.Text.Substring(a.Match.Start, a.Match.Length)).Distinct().ToList();
        return new Findings(tier, Math.Clamp(1 - calm, 0.01, 0.99), signals, happy)
        {
            IsLow = accepted.Any(a => a.Match.Rule.Id.StartsWith("distress.", StringComparison.Ordinal)),
        };
    }

    private void Accept(string text, RuleMatch match, List<(RuleMatch Match, Tier Tier)> accepted)
    {
        var rule = match.Rule;
        var excused = IsExcused(text, match);
        var tier = excused ? rule.Otherwise : rule.Tier;
        if (rule.Kind != RuleKind.Risk)
        {
            if (!excused)
            {
                accepted.Add((match, Tier.T0));
            }

            return;
        }

        if (tier is Tier.T1 or Tier.T2 or Tier.T3 or Tier.T4 && !rule.Anyone)
        {
            tier = SubjectOf(text, match) switch
            {
                Subject.Acquaintance => tier == Tier.T1 ? Tier.T0 : Tier.TF,
                Subject.Distant => Tier.T0,
                _ => tier,
            };
        }

        if (tier != Tier.T0)
        {
            accepted.Add((match, tier));
        }
    }

    private static Subject SubjectOf(string text, RuleMatch match)
    {
        var (start, _) = Around(text, match.Start, NormalisedText.SentenceEnds);
        return Speaker.Of(text, match.Start, match.Length, text[start..match.Start]);
    }

    private bool IsExcused(string text, RuleMatch match)
    {
        var rule = match.Rule;
        if (rule.Not is null && rule.Unless.Count == 0)
        {
            return false;
        }

        var (sentenceStart, sentenceEnd) = Around(text, match.Start, NormalisedText.SentenceEnds);
        var (clauseStart, _) = Around(text, match.Start, NormalisedText.ClauseEnds);
        var sentence = text[sentenceStart..sentenceEnd];
        if (rule.Not?.IsMatch(sentence) == true)
        {
            return true;
        }

        var before = text[clauseStart..match.Start];
        return rule.Unless.Any(name => _book.Contexts[name].Excuses(text, before, sentence));
    }

    private static bool IsPresent(string needed, RuleMatch match, List<(RuleMatch Match, Tier Tier)> accepted) => accepted.Any(a =>
        a.Match != match && (needed == "danger"
            ? Severity.IsCrisis(a.Tier)
            : a.Match.Rule.Id.StartsWith(needed, StringComparison.Ordinal)));

    private static (int Start, int End) Around(string text, int position, string ends)
    {
        var start = position;
        while (start > 0 && !ends.Contains(text[start - 1]))
        {
            start--;
        }

        var end = position;
        while (end < text.Length && !ends.Contains(text[end]))
        {
            end++;
        }

        return (start, end);
    }

    private static RiskSignal Signal(NormalisedText view, RuleMatch match, Tier tier)
    {
        var (start, length) = view.Original(match.Start, match.Length);
        return new RiskSignal(match.Rule.Id, tier, start, length);
    }
}
