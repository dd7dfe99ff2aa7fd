using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Risk;

namespace PsyLite.Store.Conversations;

/// <summary>How old a person said they are.</summary>
public enum AgeGroup
{
    /// <summary>Not said; treated as a minor.</summary>
    Unknown = 0,

    /// <summary>Needs a guardian's consent (Order 21 of 2026, article 14).</summary>
    Under14 = 1,
    From14To17 = 2,
    Adult = 3,
}

/// <summary>What a person has settled for themselves; a new conversation begins with it.</summary>
public sealed record PersonSettings
{
    public bool HumourAllowed { get; init; } = true;

    public bool IsMinor { get; init; }

    public AgeGroup Age { get; init; }

    /// <summary>Conversations are kept; false as long as the person has not agreed to it.</summary>
    public bool KeepsHistory { get; init; }

    /// <summary>BCP 47 tag for preset texts; null lets the text decide.</summary>
    public string? Language { get; init; }

    /// <summary>ISO 3166 code of the country whose help lines fit.</summary>
    public string? Region { get; init; }

    /// <summary>Whom to turn to in danger; set only with consent.</summary>
    public EmergencyContact? Contact { get; init; }

    /// <summary>Themes of crosstalk of which the person wanted more; null when they named none.</summary>
    public IReadOnlyList<string>? LikedThemes { get; init; }

    /// <summary>When risk, and danger, last came up in a conversation that is kept. A new conversation begins with it.</summary>
    public DateTimeOffset? LastRiskAt { get; init; }

    public DateTimeOffset? LastDangerAt { get; init; }

    /// <summary>When the person was last asked how they came through the day after danger.</summary>
    public DateTimeOffset? CheckedInAt { get; init; }

    /// <summary>The risk state of a new conversation: jokes stay away and the question of the day after is asked, whichever conversation it was.</summary>
    public ConversationState Begin(string conversation) => new()
    {
        Id = conversation,
        Region = Region,
        Contact = Contact,
        HumourRefused = !HumourAllowed,
        LastRiskAt = LastRiskAt,
        LastDangerAt = LastDangerAt,
        CheckedInAt = CheckedInAt,
    };

    /// <summary>These settings with what a turn has made of the risk; the same ones when nothing is new.</summary>
    public PersonSettings After(ConversationState state) => this with
    {
        LastRiskAt = Later(LastRiskAt, state.LastRiskAt),
        LastDangerAt = Later(LastDangerAt, state.LastDangerAt),
        CheckedInAt = Later(CheckedInAt, state.CheckedInAt),
    };

    private static DateTimeOffset? Later(DateTimeOffset? left, DateTimeOffset? right) => left >= right || right is null ? left : right;
}

internal sealed record ConversationHead(string Title, PersonSettings Settings);

internal sealed record ConversationSummary(string Id, DateTimeOffset Created, DateTimeOffset Updated, ConversationHead Head);

internal enum Author
{
    Person = 0,
    Program = 1,

    /// <summary>A counsellor who took over.</summary>
    Counsellor = 2,
}

internal enum MessageStage
{
    Committed = 0,

    /// <summary>A reply is being made; nothing of it is stored yet.</summary>
    Open = 1,

    /// <summary>The reply never came to its end; nothing of it is shown, and the turn may be tried again.</summary>
    Broken = 2,

    /// <summary>The stored bytes were changed from outside and do not open.</summary>
    Damaged = 3,
}

/// <summary>What is sealed of a message. Everything but the text belongs to replies.</summary>
internal sealed record MessageBody(string Text)
{
    public string? Reasoning { get; init; }

    /// <summary>Id of the piece that was offered under the reply.</summary>
    public string? Crosstalk { get; init; }

    public Tier? Tier { get; init; }

    public Route? Route { get; init; }

    public string? FinishReason { get; init; }

    public bool UsedModel { get; init; }

    public static MessageBody Of(TurnResult result) => new(result.Reply)
    {
        Reasoning = result.Reasoning.Length > 0 ? result.Reasoning : null,
        Crosstalk = result.Crosstalk?.Id,
        Tier = result.Assessment.Tier,
        Route = result.Assessment.Route,
        FinishReason = result.FinishReason,
        UsedModel = result.UsedModel,
    };
}

/// <param name="Ordinal">Place in the conversation, from 0, without gaps.</param>
/// <param name="Body">Null while <paramref name="Stage"/> is anything but Committed.</param>
internal sealed record StoredMessage(string TurnId, int Ordinal, Author Author, MessageStage Stage, DateTimeOffset At, MessageBody? Body);

/// <param name="State">The risk state with which the next turn begins.</param>
internal sealed record StoredConversation(ConversationSummary Summary, IReadOnlyList<StoredMessage> Messages, ConversationState State);

internal enum TurnStanding
{
    /// <summary>The message is recorded and the reply may be made.</summary>
    Begun,

    /// <summary>This turn was tried before and broke off: the message was there already and is not recorded again.</summary>
    BegunAgain,

    /// <summary>This turn is over; its reply is to be given again, and no model asked.</summary>
    Finished,

    /// <summary>The owner has no such conversation.</summary>
    Unknown,
}

/// <summary>How a turn stands when it begins. A turn that is begun again starts from the state before it, so that it raises the risk once.</summary>
internal sealed record TurnStart(TurnStanding Standing, ConversationState State, MessageBody? Reply)
{
    /// <summary>The turn was begun before and has not ended: somebody may still be at it.</summary>
    public bool IsOpen { get; init; }

    public static TurnStart Unknown { get; } = new(TurnStanding.Unknown, new ConversationState(), null);
}

/// <summary>A place where the words were found.</summary>
/// <param name="Excerpt">Some of the text around them, on one line.</param>
internal sealed record SearchHit(ConversationSummary Conversation, int Ordinal, Author Author, DateTimeOffset At, string Excerpt);
