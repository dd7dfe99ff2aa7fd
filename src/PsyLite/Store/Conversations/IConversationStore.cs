using PsyLite.Agent;

namespace PsyLite.Store.Conversations;

/// <summary>
/// Where conversations are kept: a database, or this process's memory for those that must never touch a disk. Every call names the owner, and
/// a conversation of somebody else is one that does not exist. Safe to share. Failures of the disk, the server or the key come out as exceptions
/// here; <see cref="RecordedTurns"/> is the boundary that lets no turn feel them.
/// </summary>
internal interface IConversationStore
{
    /// <summary>False for a store in memory.</summary>
    bool IsLasting { get; }

    /// <param name="id">A new one; see <see cref="RecordId"/>.</param>
    Task<ConversationSummary> CreateAsync(string owner, string id, ConversationHead head, CancellationToken cancellationToken);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<ConversationSummary>> ListAsync(string owner, int skip, int most, CancellationToken cancellationToken);

    Task<StoredConversation?> OpenAsync(string owner, string id, CancellationToken cancellationToken);

    Task<bool> ChangeAsync(string owner, string id, Func<ConversationHead, ConversationHead> change, CancellationToken cancellationToken);

    /// <summary>Records the person's message before anything answers it. The same <paramref name="turnId"/> again is the same turn.</summary>
    Task<TurnStart> BeginTurnAsync(string owner, string id, string turnId, string text, CancellationToken cancellationToken);

    /// <summary>A new conversation with its first message, together or not at all.</summary>
    Task<TurnStart> BeginConversationAsync(string owner, string id, ConversationHead head, string turnId, string text, CancellationToken cancellationToken);

    /// <summary>Notes what the turn made of the risk before its reply is there: should the turn break off, the next one carries it on.</summary>
    Task NoteRiskAsync(string owner, string id, string turnId, ConversationState state, CancellationToken cancellationToken);

    /// <summary>The whole reply and the new risk state, together or not at all. False when the turn is over, or a later one has begun.</summary>
    Task<bool> CommitTurnAsync(string owner, string id, string turnId, MessageBody reply, ConversationState state, CancellationToken cancellationToken);

    Task BreakTurnAsync(string owner, string id, string turnId, CancellationToken cancellationToken);

    /// <summary>Drops this turn and all after it, for a message that is written anew. The risk that they raised stays.</summary>
    Task<bool> RewindAsync(string owner, string id, string turnId, CancellationToken cancellationToken);

    /// <summary>Every message that holds the words, newest conversation first, as they are found.</summary>
    IAsyncEnumerable<SearchHit> SearchAsync(string owner, string words, CancellationToken cancellationToken);

    Task<bool> EraseAsync(string owner, string id, CancellationToken cancellationToken);

    /// <summary>Everything of an owner. Gives the number of conversations that are gone.</summary>
    Task<int> EraseOwnerAsync(string owner, CancellationToken cancellationToken);

    Task<PersonSettings> SettingsAsync(string owner, CancellationToken cancellationToken);

    Task SetSettingsAsync(string owner, PersonSettings settings, CancellationToken cancellationToken);

    /// <exception cref="ArgumentException">The answers do not fit the questionnaire.</exception>
    Task AddCheckInAsync(string owner, CheckIn checkIn, CancellationToken cancellationToken);

    /// <summary>Oldest first.</summary>
    Task<IReadOnlyList<CheckIn>> CheckInsAsync(string owner, CancellationToken cancellationToken);

    Task AddConsentAsync(string owner, ConsentRecord consent, CancellationToken cancellationToken);

    /// <summary>Oldest first.</summary>
    Task<IReadOnlyList<ConsentRecord>> ConsentsAsync(string owner, CancellationToken cancellationToken);
}
