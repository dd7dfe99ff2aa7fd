using Microsoft.Extensions.AI;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Agent;

/// <summary>
/// Natural-log likelihoods of each label as the assistant's next words after <paramref name="conversation"/>.
/// The engine answers; the agent only asks, so the agent needs no reference to an engine.
/// </summary>
public delegate ValueTask<IReadOnlyList<double>> LabelLikelihoods(
    IReadOnlyList<ChatMessage> conversation, IReadOnlyList<string> labels, CancellationToken cancellationToken);

/// <summary>One user turn: the visible conversation (user and assistant messages, the newest user message last) and its state.</summary>
public sealed record TurnRequest(IReadOnlyList<ChatMessage> Messages, ConversationState State)
{
    /// <summary>Sampling options of the caller; null uses the defaults.</summary>
    public ChatOptions? Options { get; init; }

    /// <summary>A front end's own name for a side task, such as title_generation; null for a person's turn.</summary>
    public string? Task { get; init; }

    /// <summary>BCP 47 tag for preset texts: zh-CN, zh-TW, yue or en. Null lets the text decide.</summary>
    public string? Language { get; init; }

    /// <summary>ISO 3166 code of the country whose help lines fit, such as CN or HK. Null lets the language tag and the text decide.</summary>
    public string? Region { get; init; }

    /// <summary>False when the person has turned humour off.</summary>
    public bool HumourAllowed { get; init; } = true;

    /// <summary>True when the caller knows the person to be under 18; the words of the conversation can say so as well.</summary>
    public bool IsMinor { get; init; }

    /// <summary>Themes of crosstalk of which the person asked for more; among fitting pieces these come first.</summary>
    public IReadOnlyList<string> LikedThemes { get; init; } = [];
}

/// <summary>Milliseconds from the arrival of the turn.</summary>
public sealed record TurnTimings(double AssessMs, double JudgeMs, double FirstTokenMs, double TotalMs, int ReplyTokens)
{
    /// <summary>When the model was asked to judge: in doubt about danger before the reply, about the mood behind it. Meaningless when it was not.</summary>
    public double AskedMs { get; init; }
}

/// <summary>What a turn yields, in order: one <see cref="Assessed"/>, then calls on the host and deltas, then one <see cref="Completed"/>.</summary>
public abstract record TurnEvent
{
    private TurnEvent()
    {
    }

    /// <summary>What is known before the reply; the mood may change it until <see cref="Completed"/>, the danger does not.</summary>
    public sealed record Assessed(Assessment Assessment) : TurnEvent;

    /// <summary>A piece of the model's reasoning (never shown as the reply, never sent back to a model).</summary>
    public sealed record ReasoningDelta(string Text) : TurnEvent;

    public sealed record ReplyDelta(string Text) : TurnEvent;

    /// <summary>The guard cut the reply: everything shown so far is to be replaced by this text.</summary>
    public sealed record ReplyReplaced(string Text, string Rule) : TurnEvent;

    /// <summary>A piece offered folded under the reply.</summary>
    public sealed record CrosstalkOffered(CrosstalkPiece Piece) : TurnEvent;

    /// <summary>A person should take over; comes once per episode, and again when the danger grows.</summary>
    public sealed record TakeoverRaised(TakeoverTicket Ticket) : TurnEvent;

    /// <summary>
    /// The person has clearly agreed that the contact be sent this text. The host sends it, or tells the person that it could not; nothing else
    /// in a conversation is ever sent.
    /// </summary>
    public sealed record ContactConsented(EmergencyContact Contact, string Text, Tier Tier) : TurnEvent;

    public sealed record Completed(TurnResult Result) : TurnEvent;
}

/// <summary>
/// The whole turn once it is over. <paramref name="UsedModel"/> is false for preset replies; <paramref name="FinishReason"/> is stop, length,
/// preset, task, guard (the reply was cut and replaced) or error (the model failed and an apology stands in).
/// </summary>
public sealed record TurnResult(
    Assessment Assessment, string Reasoning, string Reply, CrosstalkPiece? Crosstalk, bool UsedModel, string FinishReason, TurnTimings Timings)
{
    /// <summary>Tokens that the model read, as it counted them; 0 when it did not run or did not say.</summary>
    public int PromptTokens { get; init; }
}
