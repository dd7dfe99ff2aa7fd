using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
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

    /// <summary>How long a request that was sent again waits for the first one, which still runs here or at another instance, before it takes it for dead.</summary>
    private static readonly TimeSpan LongestTurnElsewhere = TimeSpan.FromSeconds(20);

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
        StartedTurn? turn = null;
        var isOver = false;
        try
        {
            if (told is null)
            {
                (turn, told, before) = await OpenAsync(conversation, turnId, messages, before, begun, shape, cancellationToken);
            }

            if (told is not null)
            {
                foreach (var step in Again(told))
                {
                    yield return step;
                }

                yield break;
            }

            turn ??= Start(conversation, messages, before, shape, cancellationToken);
            await foreach (var step in turn.ReadAsync())
            {
                if (step is TurnEvent.Assessed && !IsUneventful(before, turn.State))
                {
                    _ = conversation.NoteAsync(turnId, turn.State);
                }
                else if (step is TurnEvent.Completed { Result: var result })
                {
                    isOver = true;
                    await WithinAsync(conversation.CommitAsync(turnId, MessageBody.Of(result), turn.State, begun), conversation, CancellationToken.None);
                }

                yield return step;
            }
        }
        finally
        {
            await (turn?.DisposeAsync() ?? ValueTask.CompletedTask);
            if (!isOver && turn is not null)
            {
                _ = cancellationToken.IsCancellationRequested && stopped?.Invoke() is { Text.Length: > 0 } shown
                    ? conversation.CommitAsync(turnId, shown, turn.State, begun)
                    : conversation.BreakAsync(turnId, before, turn.State);
            }
        }
    }

    /// <summary>
    /// Waits until the message is written, unless there is danger in it. Where nothing is at stake the model is asked meanwhile, and what it says is
    /// held. Another page or instance may have gone further than this one knew: then its reply is told, or the turn begins from the state it left.
    /// </summary>
    private async Task<(StartedTurn? Turn, MessageBody? Told, ConversationState Before)> OpenAsync(
        RecordedConversation conversation, string turnId, IReadOnlyList<ChatMessage> messages, ConversationState before, Task<TurnStart?> begun,
        Func<TurnRequest, TurnRequest>? shape, CancellationToken cancellationToken)
    {
        var seen = Look(messages, before);
        if (IsUrgent(seen, messages))
        {
            return (null, null, before);
        }

        var turn = IsCalm(before, seen!) ? Start(conversation, messages, before, shape, cancellationToken) : null;
        try
        {
            var written = WithinAsync(begun, conversation, cancellationToken);
            var start = await (turn?.HoldAsync(written) ?? written);
            if (start is null || (turn is not null && start is { Reply: null, IsOpen: false } && IsSame(start.State, before)))
            {
                return (turn, null, before);
            }

            var told = start.Reply ?? (start.IsOpen ? await conversation.FinishedElsewhereAsync(turnId, LongestTurnElsewhere, time, cancellationToken) : null);
            await (turn?.DisposeAsync() ?? ValueTask.CompletedTask);
            return (null, told, start.State);
        }
        catch (OperationCanceledException)
        {
            await (turn?.DisposeAsync() ?? ValueTask.CompletedTask);
            _ = conversation.BreakAsync(turnId, before, before);
            throw;
        }
    }

    private StartedTurn Start(
        RecordedConversation conversation, IReadOnlyList<ChatMessage> messages, ConversationState before, Func<TurnRequest, TurnRequest>? shape, CancellationToken cancellationToken)
    {
        var state = StateRecord.Copy(before);
        conversation.Settle(state);
        var request = Request(conversation, messages, state);
        return new StartedTurn(state, pipeline.RunAsync(shape?.Invoke(request) ?? request, CancellationToken.None), cancellationToken);
    }

    /// <summary>
    /// Nothing that a crash in the middle of the turn could lose: without a note, the next turn reads the whole conversation for risk again.
    /// </summary>
    private static bool IsUneventful(ConversationState before, ConversationState after) =>
        before.Tier == Tier.T0 && after.Tier == Tier.T0 && after.WorryTurns == before.WorryTurns && after.HumourRefused == before.HumourRefused && !after.AwaitsClearing;

    /// <summary>
    /// Danger in the newest words themselves, or rules that failed. Danger that is only carried on from before waits for the record: a counsellor may
    /// have lifted it at another instance.
    /// </summary>
    private bool IsUrgent(Assessment? seen, IReadOnlyList<ChatMessage> messages) =>
        seen is null || (seen.Route == Route.Danger && Look([messages[^1]], null) is null or { Route: Route.Danger });

    /// <summary>No risk, now or before: nothing that running the turn twice would count or report twice.</summary>
    private static bool IsCalm(ConversationState before, Assessment seen) =>
        seen is { Tier: Tier.T0, Route: Route.Normal or Route.Happy } && before is { Tier: Tier.T0, AwaitsClearing: false, Ticket: null, LastDangerAt: null };

    private static bool IsSame(ConversationState one, ConversationState other) => StateRecord.Write(one).AsSpan().SequenceEqual(StateRecord.Write(other));

    /// <summary>What shows without any model; null where the rules themselves fail, and then nothing is waited for, as with danger.</summary>
    private Assessment? Look(IReadOnlyList<ChatMessage> messages, ConversationState? state)
    {
        try
        {
            return assessor.Assess(messages, state);
        }
        catch (Exception)
        {
            return null;
        }
    }

    private static TurnRequest Request(RecordedConversation conversation, IReadOnlyList<ChatMessage> messages, ConversationState state) =>
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
