using PsyLite.Agent.Risk.Learned;
using PsyLite.Agent.Risk.Patterns;

namespace PsyLite.Agent.Risk;

/// <summary>Applies the rules to one message in all its readings. Immutable; one instance serves all conversations.</summary>
internal sealed class MessageReader
{
    /// <summary>Of a longer message the beginning and the end are read; the point of a very long one stands there.</summary>
    private const int LongestRead = 8000;

    /// <summary>Letters from which a message counts as saying something.</summary>
    private const int ShortestAnswer = 5;
    private const char Masked = '\uE000';
    private readonly TextNormaliser _normaliser;
    private readonly RuleBook _book;
    private readonly RiskModel? _model;

    public MessageReader()
    {
        _normaliser = new TextNormaliser();
        _book = new RuleBook(_normaliser);
        Features = Lexicon(_normaliser);
        _model = RiskModelFile.Read(EmbeddedText.Bytes("Learned.risk-model.bin"));
    }

    public MessageReader(TextNormaliser normaliser, RuleBook book)
    {
        _normaliser = normaliser;
        _book = book;
        Features = Lexicon(_normaliser);
    }

    public MessageFeatures Features { get; }

    public RuleBook Book => _book;

    public TextNormaliser Normaliser => _normaliser;

    public Findings Read(string message)
    {
        if (message.Length > 2 * LongestRead)
        {
            var shift = message.Length - LongestRead;
            var tail = Read(message[shift..]);
            return Merge(Read(message[..LongestRead]), tail with { Signals = [.. tail.Signals.Select(s => s with { Start = s.Start + shift })] });
        }

        var view = _normaliser.Fold(message);
        var findings = Judge(view) with { IsBrief = view.Text.Count(char.IsLetterOrDigit) < ShortestAnswer };
        if (TextNormaliser.Joined(view) is { } joined)
        {
            findings = Merge(findings, Judge(joined));
        }

        if (!Severity.IsCrisis(findings.Tier) && TextNormaliser.Reversed(view) is { } reversed && ReadReversed(reversed) is { } hidden)
        {
            findings = Merge(findings, hidden);
        }

        return findings;
    }

    /// <summary>The folded text and what the rules make of it, as the classifier will meet them.</summary>
    public (NormalisedText View, IReadOnlyList<(int Position, uint Hash)> Rules) ForTraining(string message)
    {
        var view = _normaliser.Fold(message);
        return (view, ReadView(view).RuleFeatures);
    }

    private static MessageFeatures Lexicon(TextNormaliser normaliser) =>
        new(new ConceptLexicon(EmbeddedText.Read("Tables.concepts.txt"), word => normaliser.Fold(word).Text));

    /// <summary>Rules and, where there is one, the classifier on one reading of the message.</summary>
    private Findings Judge(NormalisedText view)
    {
        var rules = ReadView(view);
        return _model is null ? rules : Fusion.Fuse(rules, _model.Score(view.Text, Features, rules.RuleFeatures), view.Text.Length, view.Original);
    }

    private static Findings Merge(Findings left, Findings right) => new(
        Severity.Worse(left.Tier, right.Tier),
        Math.Max(left.Score, right.Score),
        [.. left.Signals.Concat(right.Signals).Distinct()],
        Severity.IsCrisis(right.Tier) ? [] : [.. left.Happy.Concat(right.Happy).Distinct()])
    {
        IsLow = left.IsLow || right.IsLow,
        Danger = Math.Max(left.Danger, right.Danger),
        IsBrief = left.IsBrief && right.IsBrief,
    };

    /// <summary>A backwards reading counts only when it explains most of the message; chance pairs of characters do not.</summary>
    private Findings? ReadReversed(NormalisedText view)
    {
        var letters = view.Text.Count(TextNormaliser.IsHan);
        var matches = _book.Find(view.Text, withCircumstances: false).Where(m =>
            m.Rule.Kind == RuleKind.Risk && Severity.IsCrisis(m.Rule.Tier) && m.Rule.With.Count == 0 && m.Length >= 3 && m.Length * 2 >= letters).ToList();
        if (matches.Count == 0)
        {
            return null;
        }

        var worst = matches.MaxBy(m => Severity.Of(m.Rule.Tier));
        var (start, length) = view.Original(worst.Start, worst.Length);
        return new Findings(worst.Rule.Tier, worst.Rule.Score, [new RiskSignal(worst.Rule.Id, worst.Rule.Tier, start, length)], []);
    }

    private Findings ReadView(NormalisedText view)
    {
        var matches = _book.Find(view.Text, withCircumstances: true);
        if (matches.Count == 0)
        {
            return Findings.None;
        }

        var facts = matches.FindAll(m => !m.Rule.IsCircumstance && m.Rule.Kind != RuleKind.Mask);
        var masks = matches.FindAll(m => m.Rule.Kind == RuleKind.Mask);
        List<(int Position, uint Hash)> harmless = masks.ConvertAll(m => (m.Start, MessageFeatures.Rule(m.Rule.Id, Tier.T0)));
        if (facts.Count == 0)
        {
            return Findings.None with { RuleFeatures = harmless };
        }

        var circumstances = matches.Where(m => m.Rule.IsCircumstance).ToLookup(m => m.Rule.Id);
        var weighing = new Weighing(_book, view, circumstances);
        masks.RemoveAll(m => !facts.Exists(f => Overlap(f, m)) || weighing.IsExcused(m));
        if (masks.Count > 0)
        {
            var masked = view.Text.ToCharArray();
            foreach (var mask in masks)
            {
                masked.AsSpan(mask.Start, mask.Length).Fill(Masked);
            }

            view = view with { Text = new string(masked) };
            facts = _book.Find(view.Text, withCircumstances: false);
            weighing = new Weighing(_book, view, circumstances);
        }

        var findings = weighing.Weigh(facts);
        return findings with { RuleFeatures = [.. findings.RuleFeatures, .. harmless] };
    }

    private static bool Overlap(RuleMatch left, RuleMatch right) =>
        left.Start < right.Start + right.Length && right.Start < left.Start + left.Length;
}
