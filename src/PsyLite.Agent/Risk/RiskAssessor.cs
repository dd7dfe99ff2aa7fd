using Microsoft.Extensions.AI;
using PsyLite.Agent.Risk.Patterns;

namespace PsyLite.Agent.Risk;

/// <summary>
/// Judges a conversation by rules alone: no model, no network, no clock. Immutable and safe to share; a conversation's own
/// past is in the <see cref="ConversationState"/> that comes with each call.
/// </summary>
public sealed class RiskAssessor
{
    /// <summary>Earlier user messages that are read again when a caller brings a history but no state.</summary>
    private const int LongestHistory = 40;
    private readonly MessageReader _reader;

    public RiskAssessor()
        : this(new MessageReader())
    {
    }

    internal RiskAssessor(MessageReader reader) => _reader = reader;

    /// <summary>
    /// Builds what the first messages would otherwise wait for, on another thread. Assessments before its end are right too, only slower.
    /// </summary>
    public Task PrepareAsync() => Task.Run(_reader.Book.Prepare);

    internal RuleBook Book => _reader.Book;

    internal TextNormaliser Normaliser => _reader.Normaliser;

    /// <summary>
    /// The verdict on the newest user message in the light of what came before. Does not change <paramref name="state"/>;
    /// a fresh state is filled in from the history in <paramref name="messages"/>.
    /// </summary>
    public Assessment Assess(IReadOnlyList<ChatMessage> messages, ConversationState? state = null) => Judge(messages, state).Assessment;

    /// <summary>The verdict on a single message without any history.</summary>
    public Assessment Assess(string text) => Assess([new ChatMessage(ChatRole.User, text)]);

    internal RiskVerdict Judge(IReadOnlyList<ChatMessage> messages, ConversationState? state)
    {
        var texts = messages.Where(m => m.Role == ChatRole.User).Select(m => m.Text ?? "").ToList();
        var carry = state is null ? default : RiskCarry.Of(state);
        int? lastRiskTurn = null;
        if (state is null or { Turns: 0 })
        {
            for (var turn = Math.Max(1, texts.Count - LongestHistory); turn < texts.Count; turn++)
            {
                var earlier = _reader.Read(texts[turn - 1]);
                carry = carry.After(earlier);
                lastRiskTurn = earlier.Tier == Tier.T0 ? lastRiskTurn : turn;
            }
        }

        var findings = texts.Count == 0 ? Findings.None : _reader.Read(texts[^1]);
        findings = SpeaksOfFriend(carry.Tier, findings, texts) ? findings with { Tier = Tier.TF } : findings;
        var next = carry.After(findings);
        var route = Severity.IsCrisis(next.Tier) ? Route.Danger
            : next.Tier == Tier.T0 && findings.Happy.Count > 0 && !findings.Has("harm.") ? Route.Happy
            : Route.Normal;
        var score = Math.Max(findings.Score, Floor(next.Tier));
        return new RiskVerdict(new Assessment(route, next.Tier, score, findings.Signals, findings.Happy), findings, carry, next, texts.Count, lastRiskTurn);
    }

    /// <summary>
    /// Someone worried about a friend goes on about that friend: danger that only the classifier sees, in a message that names a third person,
    /// is the friend's, unless the message speaks of the writer too and is very clear.
    /// </summary>
    private static bool SpeaksOfFriend(Tier carried, Findings findings, List<string> texts) =>
        carried == Tier.TF
        && findings.Tier is Tier.T1 or Tier.T2 or Tier.T3 or Tier.T4
        && findings.Signals.All(s => s.Tier is Tier.T0 or Tier.TF || s.Rule == Fusion.Learned)
        && texts[^1].AsSpan().IndexOfAny("他她") >= 0
        && (!texts[^1].Contains('我') || findings.Danger < Fusion.Clear);

    /// <summary>The least score that a tier in force implies when the newest message shows little by itself.</summary>
    private static double Floor(Tier tier) => tier switch
    {
        Tier.T0 => 0.01,
        Tier.T1 or Tier.TF => 0.3,
        Tier.T2 or Tier.TA => 0.7,
        _ => 0.9,
    };
}

/// <summary>
/// An assessment with what led to it: this message's own findings, the risk carried before and after, and for a history that came without
/// a state the number of its user turns and the last of them (from 1) at risk.
/// </summary>
internal sealed record RiskVerdict(
    Assessment Assessment, Findings Findings, RiskCarry Before, RiskCarry After, int UserTurns, int? LastRiskTurn);
