using System.Runtime.CompilerServices;
using PsyLite.Store.Conversations;

namespace PsyLite.Store.Export;

/// <summary>Everything that is kept of one owner, read a conversation at a time.</summary>
internal sealed class OwnerExport(IConversationStore store, string owner)
{
    /// <summary>The form of the JSON; it grows when a field changes its meaning.</summary>
    public const string Format = "psylite-export-1";

    /// <summary>Machine-readable label of generated text (Labelling Measures of 2025-09-01).</summary>
    public const string GeneratedLabel = "AI-generated: replies were written by the program PsyLite, not by a person";

    private const int PageLength = 32;

    public string Owner => owner;

    public Task<PersonSettings> SettingsAsync(CancellationToken cancellationToken) => store.SettingsAsync(owner, cancellationToken);

    public Task<IReadOnlyList<CheckIn>> CheckInsAsync(CancellationToken cancellationToken) => store.CheckInsAsync(owner, cancellationToken);

    public Task<IReadOnlyList<ConsentRecord>> ConsentsAsync(CancellationToken cancellationToken) => store.ConsentsAsync(owner, cancellationToken);

    /// <summary>Newest first; <paramref name="only"/> names one conversation.</summary>
    public async IAsyncEnumerable<StoredConversation> ConversationsAsync(string? only, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (only is not null)
        {
            yield return await store.OpenAsync(owner, only, cancellationToken) ?? throw new StoreException($"there is no conversation {only} of {owner}.");
            yield break;
        }

        for (var skip = 0; ; skip += PageLength)
        {
            var page = await store.ListAsync(owner, skip, PageLength, cancellationToken);
            foreach (var summary in page)
            {
                if (await store.OpenAsync(owner, summary.Id, cancellationToken) is { } conversation)
                {
                    yield return conversation;
                }
            }

            if (page.Count < PageLength)
            {
                yield break;
            }
        }
    }
}
