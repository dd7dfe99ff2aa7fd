using System.Runtime.CompilerServices;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Store.Conversations;

/// <summary>
/// Turns that are recorded as they run: the message before the model speaks, the reply as a whole with the risk it led to. A disk that is full,
/// a database that is locked or gone costs the record and never the turn, and danger is answered without waiting for either.
/// </summary>
internal sealed class RecordedTurns(TurnPipeline pipeline, RiskAssessor assessor, CrosstalkLibrary library, TimeProvider time)
{
    /// <summary>How long a turn waits for the disk, once before it and once after.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(3);

    /// <summary>Runs one turn. A <paramref name="turnId"/> that was finished before gives its reply again and asks no model.</summary>
    /// <param name="shape">Adds what the caller knows, such as sampling options.</param>
    /// <param name="stopped">Should the turn be cancelled: what of its reply was shown and is to be kept; null or nothing breaks the turn.</param>
    /// <exception cref="ArgumentException">The turn id is not one; see <see cref="RecordId"/>.</exception>
    public async IAsyncEnumerable<TurnEvent> RunAsync(
        RecordedConversation conversation, string turnId, string text, Func<TurnRequest, TurnRequest>? shape = null, Func<MessageBody?>? stopped = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        RecordId.Checked(turnId);
        var told = conversation.ReplyOf(turnId);
        var before = conversation.StateBefore(turnId);
        var messages = conversation.MessagesWith(text, turnId);
        var begun = told is null ? conversation.BeginAsync(turnId, text) : Task.FromResult<TurnStart?>(null);
        if (told is null && !IsDanger(messages, before) && await WithinAsync(begun, conversation, cancellationToken) is { } start)
        {
            told = start.Reply;
            before = start.State;
        }

        if (told is not null)
        {
            foreach (var step in Again(told))
            {
                yield return step;
            }

            yield break;
        }

        var state = StateRecord.Copy(before);
        conversation.Settle(state);
        var request = Request(conversation, messages, state);
        var isOver = false;
        try
        {
            await foreach (var step in pipeline.RunAsync(shape?.Invoke(request) ?? request, cancellationToken))
            {
                if (step is TurnEvent.Assessed && !IsUneventful(before, state))
                {
                    _ = conversation.NoteAsync(turnId, state);
                }
                else if (step is TurnEvent.Completed { Result: var result })
                {
                    isOver = true;
                    await WithinAsync(conversation.CommitAsync(turnId, MessageBody.Of(result), state, begun), conversation, CancellationToken.None);
                }

                yield return step;
            }
        }
        finally
        {
            if (!isOver)
            {
                _ = cancellationToken.IsCancellationRequested && stopped?.Invoke() is { Text.Length: > 0 } shown
                    ? conversation.CommitAsync(turnId, shown, state, begun)
                    : conversation.BreakAsync(turnId, before, state);
            }
        }
    }

    /// <summary>
    /// Nothing that a crash in the middle of the turn could lose: without a note, the next turn reads the whole conversation for risk again.
    /// </summary>
    private static bool IsUneventful(ConversationState before, ConversationState after) =>
        before.Tier == Tier.T0 && after.Tier == Tier.T0 && after.WorryTurns == before.WorryTurns && after.HumourRefused == before.HumourRefused && !after.AwaitsClearing;

    /// <summary>Danger that shows without any model. Where the rules themselves fail nothing is waited for either.</summary>
    private bool IsDanger(IReadOnlyList<Microsoft.Extensions.AI.ChatMessage> messages, ConversationState state)
    {
        try
        {
            return assessor.Assess(messages, state).Route == Route.Danger;
        }
        catch (Exception)
        {
            return true;
        }
    }

    private static TurnRequest Request(RecordedConversation conversation, IReadOnlyList<Microsoft.Extensions.AI.ChatMessage> messages, ConversationState state) =>
        new(messages, state)
        {
            HumourAllowed = conversation.Settings.HumourAllowed,
            IsMinor = conversation.Settings.IsMinor,
            Language = conversation.Settings.Language,
            Region = conversation.Settings.Region,
            LikedThemes = conversation.Settings.LikedThemes ?? [],
        };

    private async Task<TurnStart?> WithinAsync(Task<TurnStart?> begun, RecordedConversation conversation, CancellationToken cancellationToken)
    {
        await WithinAsync((Task)begun, conversation, cancellationToken);
        return begun.IsCompletedSuccessfully ? begun.Result : null;
    }

    private async Task WithinAsync(Task saving, RecordedConversation conversation, CancellationToken cancellationToken)
    {
        try
        {
            await saving.WaitAsync(LongestWait, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            conversation.GiveUp("the database does not answer.");
        }
    }

    private IEnumerable<TurnEvent> Again(MessageBody told)
    {
        var assessment = new Assessment(told.Route ?? Route.Normal, told.Tier ?? Tier.T0, 0, [], []);
        yield return new TurnEvent.Assessed(assessment);
        if (told.Reasoning is { } reasoning)
        {
            yield return new TurnEvent.ReasoningDelta(reasoning);
        }

        yield return new TurnEvent.ReplyDelta(told.Text);
        var piece = told.Crosstalk is { } id ? library.Pieces.FirstOrDefault(p => p.Id == id) : null;
        if (piece is not null)
        {
            yield return new TurnEvent.CrosstalkOffered(piece);
        }

        var result = new TurnResult(assessment, told.Reasoning ?? "", told.Text, piece, told.UsedModel, told.FinishReason ?? "stop", new TurnTimings(0, 0, 0, 0, 0));
        yield return new TurnEvent.Completed(result);
    }
}
