using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Store;
using PsyLite.Store.Conversations;

namespace PsyLite.Server.Owners;

/// <summary>
/// Turns over the APIs whose caller names a conversation to be recorded. From then on the record is the history: of a request only the newest
/// message counts, so that a caller cannot rewrite what was said, and danger in it is not forgotten with a restart. A conversation that is new here
/// begins with the history that the caller brings.
/// </summary>
internal sealed class RecordedDesk(RecordedTurns turns, StoreHost store)
{
    private const int Longest = 64;

    /// <summary>The name under which the store keeps an owner's conversation: what a client calls it is nobody else's, and is not stored.</summary>
    public static string NameOf(string owner, string given) =>
        "api-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{owner}\n{given}")).AsSpan(0, 20));

    public async IAsyncEnumerable<TurnEvent> RunAsync(
        ServedTurn turn, TurnRequest asked, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var text = asked.Messages.LastOrDefault(m => m.Role == ChatRole.User)?.Text ?? throw ApiException.Invalid("a recorded turn needs a message of the user", "messages");
        var conversation = await OpenAsync(turn, asked, cancellationToken);
        var turnId = TurnOf(turn.Caller, conversation, text);
        var isNew = conversation.IsEmpty;
        await foreach (var e in turns.RunAsync(
            conversation, turnId, text,
            request => request with
            {
                Options = asked.Options,
                HumourAllowed = asked.HumourAllowed,
                IsMinor = asked.IsMinor,
                Language = asked.Language,
                Region = asked.Region,
                Messages = isNew ? asked.Messages : request.Messages,
            },
            cancellationToken: cancellationToken))
        {
            yield return e;
        }
    }

    private async Task<RecordedConversation> OpenAsync(ServedTurn turn, TurnRequest asked, CancellationToken cancellationToken)
    {
        var (owner, id) = (turn.Caller.Owner, NameOf(turn.Caller.Owner, turn.Caller.Record!));
        var settings = new PersonSettings { HumourAllowed = asked.HumourAllowed, IsMinor = asked.IsMinor, Language = asked.Language, Region = asked.Region };
        try
        {
            if (await RecordedConversation.OpenAsync(store.Lasting, owner, id, cancellationToken) is { } known)
            {
                return known;
            }

            // What the person has settled, and when risk last came up, holds here too.
            var own = await (await store.Lasting.OpenAsync()).SettingsAsync(owner, cancellationToken);
            settings = own with
            {
                HumourAllowed = own.HumourAllowed && asked.HumourAllowed,
                IsMinor = own.IsMinor || asked.IsMinor,
                Language = asked.Language ?? own.Language,
                Region = asked.Region ?? own.Region,
            };
            return RecordedConversation.Start(store.Lasting, owner, settings, id);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A store that is down costs the record, never the turn; the recording itself notes the fault.
            return RecordedConversation.Start(store.Lasting, owner, settings, id);
        }
    }

    /// <summary>The same turn for the same attempt, and for a message that a client marks as sent again.</summary>
    private static string TurnOf(Caller caller, RecordedConversation conversation, string text)
    {
        if (caller.Attempt is { } attempt)
        {
            return attempt.Length <= Longest && attempt.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
                ? attempt
                : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(attempt)).AsSpan(0, 16));
        }

        return (caller.IsRetry ? conversation.NewestTurnWith(text) : null) ?? RecordId.Create();
    }
}
