namespace PsyLite.Agent.Risk.Patterns;

/// <summary>What a rule's match means.</summary>
internal enum RuleKind
{
    /// <summary>A sign of danger of the rule's tier.</summary>
    Risk,

    /// <summary>A fact that other rules build on (means at hand, distress); no danger by itself.</summary>
    Feature,

    /// <summary>A harmless phrase; other rules do not look inside it.</summary>
    Mask,

    /// <summary>A sign of good mood.</summary>
    Happy,

    /// <summary>A request for harmful help.</summary>
    Harm,

    /// <summary>Something said about a risk seen before: contact made, refusal, denial.</summary>
    Answer,

    /// <summary>A circumstance that excuses other matches in its sentence.</summary>
    Near,

    /// <summary>A circumstance that excuses other matches anywhere in the message.</summary>
    Anywhere,

    /// <summary>Words that void an excuse.</summary>
    Cancels,

    /// <summary>Words in the same sentence that make one rule's match harmless.</summary>
    Not,
}

/// <summary>One rule of the data files, or one part of a context (then <see cref="Id"/> is the context's name or the rule's id).</summary>
internal sealed record PatternRule(string Id, RuleKind Kind, Tier Tier, double Score)
{
    /// <summary>Names of contexts that excuse a match.</summary>
    public IReadOnlyList<string> Unless { get; init; } = [];

    /// <summary>Rule ids or their leading parts, one of which must have matched too.</summary>
    public IReadOnlyList<string> With { get; init; } = [];

    /// <summary>A match counts whoever the sentence speaks of.</summary>
    public bool Anyone { get; init; }

    /// <summary>Tier that an excused match still has.</summary>
    public Tier Otherwise { get; init; }

    /// <summary>The rule has words that make a match harmless.</summary>
    public bool HasNot { get; init; }

    public bool IsCircumstance => Kind is RuleKind.Near or RuleKind.Anywhere or RuleKind.Cancels or RuleKind.Not;
}

/// <summary>A match in a view of the message; offsets are the view's.</summary>
internal readonly record struct RuleMatch(PatternRule Rule, int Start, int Length);
