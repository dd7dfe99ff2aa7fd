using PsyLite.Agent;
using PsyLite.Store;
using PsyLite.Store.Conversations;

namespace PsyLite.Web.Live;

/// <summary>
/// What is kept of a person beside the turns: settings, consents, check-ins, and the conversations as a list. Safe to share. What the store
/// says when it fails is given by <see cref="Explain"/>.
/// </summary>
internal sealed class PersonRecords(StoreSource lasting, StoreSource temporary, TimeProvider time, Action<string, string>? note = null)
{
    /// <summary>The text about keeping conversations and about age that people agree to now; it grows when the text changes its meaning.</summary>
    public const string ConsentText = "2026-11";

    private const int MostListed = 200;
    private const int MostFound = 30;
    private readonly SemaphoreSlim _settings = new(1);

    public StoreSource Lasting => lasting;

    public StoreSource Temporary => temporary;

    public string Explain(Exception fault) => lasting.Explain(fault);

    public async Task<PersonSettings> SettingsAsync(string owner) => await (await lasting.OpenAsync()).SettingsAsync(owner, CancellationToken.None);

    /// <summary>Changes what a person has settled and gives it as it is then.</summary>
    public async Task<PersonSettings> ChangeAsync(string owner, Func<PersonSettings, PersonSettings> change)
    {
        await _settings.WaitAsync();
        try
        {
            var store = await lasting.OpenAsync();
            var before = await store.SettingsAsync(owner, CancellationToken.None);
            var after = change(before);
            if (after != before)
            {
                await store.SetSettingsAsync(owner, after, CancellationToken.None);
            }

            return after;
        }
        finally
        {
            _settings.Release();
        }
    }

    /// <summary>Notes what a person agreed to or took back.</summary>
    public async Task ConsentAsync(string owner, string matter, bool isGiven) =>
        await (await lasting.OpenAsync()).AddConsentAsync(owner, new ConsentRecord(matter, isGiven, ConsentText, time.GetUtcNow()), CancellationToken.None);

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<ConversationSummary>> ListAsync(string owner) =>
        await (await lasting.OpenAsync()).ListAsync(owner, 0, MostListed, CancellationToken.None);

    /// <summary>The newest hit of each conversation that holds the words.</summary>
    public async Task<IReadOnlyList<SearchHit>> SearchAsync(string owner, string words, CancellationToken cancellationToken)
    {
        var found = new List<SearchHit>();
        await foreach (var hit in (await lasting.OpenAsync()).SearchAsync(owner, words, cancellationToken))
        {
            if (!found.Exists(f => f.Conversation.Id == hit.Conversation.Id))
            {
                found.Add(hit);
            }

            if (found.Count == MostFound)
            {
                break;
            }
        }

        return found;
    }

    public async Task RenameAsync(string owner, string id, string title) =>
        await (await lasting.OpenAsync()).ChangeAsync(owner, id, head => head with { Title = title }, CancellationToken.None);

    public async Task EraseAsync(string owner, string id)
    {
        await (await lasting.OpenAsync()).EraseAsync(owner, id, CancellationToken.None);
        note?.Invoke("Erased", "page");
    }

    /// <summary>Everything of a person: conversations, settings, check-ins and consents.</summary>
    public async Task EraseAllAsync(string owner)
    {
        await (await temporary.OpenAsync()).EraseOwnerAsync(owner, CancellationToken.None);
        await (await lasting.OpenAsync()).EraseOwnerAsync(owner, CancellationToken.None);
        note?.Invoke("ErasedOwner", "page");
    }

    public void NoteExport() => note?.Invoke("Exported", "page");

    public async Task EraseTemporaryAsync(string owner, string id) => await (await temporary.OpenAsync()).EraseAsync(owner, id, CancellationToken.None);

    /// <summary>Keeps a check-in, on the disk only where the person agreed to it.</summary>
    public async Task AddCheckInAsync(string owner, CheckIn checkIn, bool isKept) =>
        await (await (isKept ? lasting : temporary).OpenAsync()).AddCheckInAsync(owner, checkIn, CancellationToken.None);

    /// <summary>Oldest first; those that are kept and those of this run.</summary>
    public async Task<IReadOnlyList<CheckIn>> CheckInsAsync(string owner)
    {
        var kept = await (await lasting.OpenAsync()).CheckInsAsync(owner, CancellationToken.None);
        var passing = lasting == temporary ? [] : await (await temporary.OpenAsync()).CheckInsAsync(owner, CancellationToken.None);
        return [.. kept.Concat(passing).OrderBy(c => c.At)];
    }

    /// <summary>Remembers when risk last came up. Should that fail, the conversation still knows it.</summary>
    /// <param name="isWanted">Asked just before it is written: the conversation may have been erased meanwhile.</param>
    public async Task KeepRiskAsync(string owner, ConversationState state, Func<bool> isWanted)
    {
        try
        {
            if (state.LastRiskAt is not null || state.LastDangerAt is not null)
            {
                await ChangeAsync(owner, settings => isWanted() ? settings.After(state) : settings);
            }
        }
        catch (Exception)
        {
            // The boundary of work behind a turn: its record has told the person already that nothing can be written.
        }
    }
}
