using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Guard;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Agent;

/// <summary>
/// The counselling turn: assess, answer danger with a preset, refuse harm, else let the model speak under guard and, on a good day,
/// offer a piece of crosstalk. Holds nothing that belongs to a conversation: one instance serves all of them at once.
/// </summary>
public sealed class TurnPipeline
{
    private readonly IChatClient? _model;
    private readonly LabelLikelihoods? _judge;
    private readonly RiskAssessor _assessor;
    private readonly CrosstalkLibrary _library;
    private readonly TurnOptions _options;
    private readonly TimeProvider _time;
    private readonly PresetTexts _texts;
    private readonly CrisisCare _care;

    /// <summary>
    /// A null <paramref name="model"/> gives presets and an honest apology; a null <paramref name="judge"/> leaves the mood to the rules.
    /// Tickets and audit stay in memory where the host brings no place for them.
    /// </summary>
    public TurnPipeline(
        IChatClient? model, LabelLikelihoods? judge, RiskAssessor assessor, CrosstalkLibrary library, TurnOptions? options = null, TimeProvider? time = null,
        ITakeoverDesk? desk = null, IAuditLog? audit = null)
        : this(model, judge, assessor, library, options, time, desk, audit, new PresetTexts(new HotlineDirectory()))
    {
    }

    internal TurnPipeline(
        IChatClient? model, LabelLikelihoods? judge, RiskAssessor assessor, CrosstalkLibrary library, TurnOptions? options, TimeProvider? time,
        ITakeoverDesk? desk, IAuditLog? audit, PresetTexts texts)
    {
        _model = model;
        _judge = judge;
        _assessor = assessor;
        _library = library;
        _options = options ?? new TurnOptions();
        _time = time ?? TimeProvider.System;
        _texts = texts;
        var ledger = new CareLedger(desk ?? new TakeoverQueue(), audit ?? new AuditTrail(), _time, _options.ModelHash);
        _care = new CrisisCare(texts, ledger, _options.CanReachContact);
    }

    /// <summary>A person has looked at the conversation and lifts the danger; nothing else lifts T3 and above.</summary>
    public void ClearByPerson(ConversationState state) => _care.Ledger.Clear(state);

    /// <summary>Runs one turn. The only exception that comes out is the caller's cancellation.</summary>
    public async IAsyncEnumerable<TurnEvent> RunAsync(TurnRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var clock = new TurnClock(_time);
        if (request.Task is not null || TaskResponder.IsTask(request.Messages))
        {
            var none = new Assessment(Route.Normal, Tier.T0, 0, [], []);
            foreach (var step in Preset(none, new CareReply(TaskResponder.Respond(request.Messages, request.Task), default), null, "task", clock))
            {
                yield return step;
            }

            yield break;
        }

        request = request.State is null ? request with { State = new ConversationState() } : request;
        var turn = Assess(request);
        clock.Assessed();
        turn = await InDoubtAsync(request, turn, clock, cancellationToken);
        var ticket = _care.Ledger.Raise(request.State, turn.Verdict);
        if (Care(turn) is { } care)
        {
            foreach (var step in Preset(turn.Verdict.Assessment, care, ticket, "preset", clock))
            {
                yield return step;
            }

            yield break;
        }

        var conversation = Conversation.ForModel(request.Messages, _options.LongestHistory, _options.SystemPrompt);
        yield return new TurnEvent.Assessed(turn.Verdict.Assessment);
        await foreach (var step in ReplyAsync(request, turn, conversation, clock, cancellationToken))
        {
            yield return step;
        }
    }

    /// <summary>The verdict on the newest message, written into the conversation's state, with the voice that the answer will have.</summary>
    private CareTurn Assess(TurnRequest request)
    {
        var state = request.State;
        var now = _time.GetUtcNow();
        CareReplay.Restore(request, _texts);
        var verdict = Judge(request);
        var isNextDay = CrisisCare.IsCheckInDue(state, now);
        RiskLedger.Record(state, verdict, RefusesHumour(request), now);
        state.CheckedInAt = isNextDay ? now : state.CheckedInAt;

        var recent = Conversation.RecentUserText(request.Messages, 3);
        var language = LanguageOf.Tag(request.Language) ?? LanguageOf.Text(recent, _assessor.Normaliser);
        var voice = _care.Voice(request, language, recent, recent.Any(_assessor.Normaliser.IsTraditional));
        return new CareTurn(Conversation.LastUserText(request.Messages), verdict, state, voice, isNextDay);
    }

    /// <summary>
    /// Where rules and classifier are unsure, the model's likelihoods are asked. They can raise the tier to T2 and never lower it; a judge that
    /// fails leaves the worried question, which such a message gets anyway.
    /// </summary>
    private async Task<CareTurn> InDoubtAsync(TurnRequest request, CareTurn turn, TurnClock clock, CancellationToken cancellationToken)
    {
        var danger = turn.Verdict.Findings.Danger;
        if (_judge is null || !_options.AsksModelInDoubt || Severity.IsCrisis(turn.Tier) || danger is < Fusion.Unsure or >= Fusion.Danger)
        {
            return turn;
        }

        var conversation = Conversation.ForModel(request.Messages, _options.LongestHistory, _options.SystemPrompt);
        clock.Asked();
        var answer = await new LabelJudge(_judge, _options.Judge, _time).AskAsync(LabelQuestion.Risk, conversation, cancellationToken);
        clock.Judged();
        return answer.Label == LabelQuestion.Danger ? turn with { Verdict = RiskLedger.Raise(request.State, turn.Verdict, _time.GetUtcNow()) } : turn;
    }

    /// <summary>A caller without state sends the earlier messages again, and with them what was refused in them.</summary>
    private static bool RefusesHumour(TurnRequest request) => request.State.Turns == 0
        ? request.Messages.Any(m => m.Role == ChatRole.User && HumourPolicy.IsRefusal(m.Text ?? ""))
        : HumourPolicy.IsRefusal(Conversation.LastUserText(request.Messages));

    private RiskVerdict Judge(TurnRequest request)
    {
        try
        {
            return _assessor.Judge(request.Messages, request.State);
        }
        catch (Exception)
        {
            // The rules are the last line: should they ever fail, a bare word list decides and nothing counts as harmless.
            return RiskLedger.WithoutRules(request);
        }
    }

    private CareReply? Care(CareTurn turn)
    {
        try
        {
            return _care.Answer(turn);
        }
        catch (Exception) when (turn.Verdict.Assessment.Route == Route.Danger)
        {
            // Whatever breaks in the choice of words, words there must be.
            return new CareReply(PresetTexts.LastWords(turn.Language), AuditAction.CrisisReply);
        }
    }

    private static IEnumerable<TurnEvent> Preset(Assessment assessment, CareReply care, TakeoverTicket? ticket, string reason, TurnClock clock)
    {
        yield return new TurnEvent.Assessed(assessment);
        if (ticket is not null)
        {
            yield return new TurnEvent.TakeoverRaised(ticket);
        }

        if (care.Event is { } call)
        {
            yield return call;
        }

        yield return new TurnEvent.ReplyDelta(care.Text);
        yield return new TurnEvent.Completed(new TurnResult(assessment, "", care.Text, null, UsedModel: false, reason, clock.Timings(0)));
    }

    /// <summary>
    /// The assessment with the model's word on the mood, asked only where there is no risk, a good mood is possible and the answer can change
    /// something. It is asked behind the reply, which does not depend on it: nobody waits for it but the joke.
    /// </summary>
    /// <param name="isSilent">The model gave no reply; it is not asked then, and counts as a judge that failed.</param>
    private async Task<Assessment> WithMoodAsync(
        TurnRequest request, RiskVerdict verdict, IReadOnlyList<ChatMessage> conversation, bool isSilent, TurnClock clock, CancellationToken cancellationToken)
    {
        var assessment = verdict.Assessment;
        var couldMatter = assessment.Tier == Tier.T0 && request.HumourAllowed && !request.State.HumourRefused && Fusion.MayBeHappy(verdict.Findings);
        if (_judge is null || !couldMatter)
        {
            return assessment;
        }

        clock.Asked();
        var mood = isSilent ? LabelAnswer.Failed : await MoodAsync(_judge, conversation, cancellationToken);
        clock.Judged();
        return mood.Label switch
        {
            LabelQuestion.Happy => assessment with { Route = Route.Happy, HappyEvidence = [.. assessment.HappyEvidence, "judge"] },
            LabelQuestion.Low => assessment with { Route = Route.Normal },
            _ when mood == LabelAnswer.Failed => assessment with
            {
                Route = Route.Normal,
                Tier = Tier.T1,
                Score = Math.Max(assessment.Score, RiskLedger.ScoreWithoutJudge),
                Signals = [.. assessment.Signals, new RiskSignal("judge.failed", Tier.T1, 0, 0)],
            },
            _ => assessment,
        };
    }

    /// <summary>Who stops here stops waiting for a joke: the reply is whole, and the turn ends as one.</summary>
    private async Task<LabelAnswer> MoodAsync(LabelLikelihoods judge, IReadOnlyList<ChatMessage> conversation, CancellationToken cancellationToken)
    {
        try
        {
            return await new LabelJudge(judge, _options.Judge, _time).AskAsync(LabelQuestion.Mood, conversation, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return LabelAnswer.Unclear;
        }
    }

    private async IAsyncEnumerable<TurnEvent> ReplyAsync(
        TurnRequest request, CareTurn turn, IReadOnlyList<ChatMessage> conversation, TurnClock clock,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var draft = new ReplyDraft(_texts.Hotlines);
        var model = _model is null ? null : new ModelReply(_model, conversation, _options.Complete(request.Options), _options, _time);
        if (model is not null)
        {
            await foreach (var (thought, words) in model.ReadAsync(cancellationToken))
            {
                clock.Spoke(thought.Length + words.Length);
                foreach (var step in draft.Add(thought, words))
                {
                    yield return step;
                }

                if (draft.Broken is not null)
                {
                    break;
                }
            }
        }

        foreach (var step in draft.Finish())
        {
            yield return step;
        }

        var reason = Reason(draft, model);
        foreach (var step in OwnWords(draft, reason, turn))
        {
            yield return step;
        }

        var assessment = await WithMoodAsync(request, turn.Verdict, conversation, isSilent: model is not null && reason == "error", clock, cancellationToken);
        var piece = reason is "stop" or "length" && !cancellationToken.IsCancellationRequested ? await OfferCrosstalkAsync(request, assessment, cancellationToken) : null;
        if (piece is not null)
        {
            yield return new TurnEvent.CrosstalkOffered(piece);
        }

        if (model is not null && reason != "error")
        {
            _options.ReadAhead?.Invoke(Conversation.ForModel([.. request.Messages, new ChatMessage(ChatRole.Assistant, draft.Text)], _options.LongestHistory, _options.SystemPrompt));
        }

        var timings = clock.Timings(model?.Tokens ?? 0);
        yield return new TurnEvent.Completed(new TurnResult(assessment, draft.Reasoning, draft.Text, piece, UsedModel: model is not null, reason, timings)
        {
            PromptTokens = model?.PromptTokens ?? 0,
        });
    }

    private static string Reason(ReplyDraft draft, ModelReply? model) =>
        draft.Broken is not null ? "guard"
        : model is null or { End: ModelEnd.Failed or ModelEnd.TimedOut } || draft.IsEmpty ? "error"
        : model.End == ModelEnd.Length ? "length"
        : "stop";

    /// <summary>What the program says itself: in place of a cut reply, after a failure, and what care adds under a reply.</summary>
    private IEnumerable<TurnEvent> OwnWords(ReplyDraft draft, string reason, CareTurn turn)
    {
        if (draft.Broken is { } broken)
        {
            _care.Ledger.Note(turn.State, turn.Tier, broken.Id, AuditAction.GuardCut, spokeModel: true);

            // One question at a time: in worry the text in place of the cut reply asks the caring one itself.
            var isWorried = turn.Tier != Tier.T0 && broken.Family != GuardRule.MethodFamily;
            yield return draft.Replace(turn.Say(isWorried ? GuardRule.WorriedFamily : broken.Family));
            yield break;
        }

        if (reason == "error")
        {
            yield return draft.Append(turn.Say(turn.Tier == Tier.T0 ? "model.unavailable" : "model.unavailable.worried"));
        }

        if (CrisisCare.Addition(turn) is { } addition)
        {
            yield return draft.Append(addition);
        }
    }

    private async ValueTask<CrosstalkPiece?> FindAsync(TurnRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await _library.FindAsync(Situation.Of(request.Messages, request.LikedThemes), request.State.OfferedCrosstalk, cancellationToken);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A reply is already there; a joke that cannot be found is no reason to lose it.
            return null;
        }
    }

    private async ValueTask<CrosstalkPiece?> OfferCrosstalkAsync(TurnRequest request, Assessment assessment, CancellationToken cancellationToken)
    {
        var state = request.State;
        if (HumourPolicy.LastWish(request.Messages) == HumourWish.Wanted)
        {
            state.HumourRefused = false;
        }

        if (HumourPolicy.Decide(request, assessment, _time.GetUtcNow()) != HumourDecision.Offer)
        {
            return null;
        }

        var piece = await FindAsync(request, cancellationToken);
        if (piece is not null)
        {
            state.OfferedCrosstalk.Add(piece.Id);
            state.LastCrosstalkTurn = state.Turns;
        }

        return piece;
    }
}
