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
}

/// <summary>One rule of the data files.</summary>
internal sealed record PatternRule(string Id, RuleKind Kind, Tier Tier, double Score)
{
    /// <summary>Names of contexts that excuse a match.</summary>
    public required IReadOnlyList<string> Unless { get; init; }

    /// <summary>Rule ids or their leading parts, one of which must have matched too.</summary>
    public required IReadOnlyList<string> With { get; init; }

    /// <summary>A match counts whoever the sentence speaks of.</summary>
    public required bool Anyone { get; init; }

    /// <summary>Tier that an excused match still has.</summary>
    public required Tier Otherwise { get; init; }

    /// <summary>Words in the same sentence that make a match harmless.</summary>
    public required System.Text.RegularExpressions.Regex? Not { get; init; }
}

/// <summary>A match in a view of the message; offsets are the view's.</summary>
internal readonly record struct RuleMatch(PatternRule Rule, int Start, int Length);
