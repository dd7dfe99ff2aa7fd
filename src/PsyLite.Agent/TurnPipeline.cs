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
    private readonly TurnLimits _limits;
    private readonly TimeProvider _time;
    private readonly HotlineDirectory _hotlines = new();
    private readonly PresetTexts _texts;
    private readonly CrisisReplies _crisis;

    /// <summary>A null <paramref name="model"/> gives presets and an honest apology; a null <paramref name="judge"/> leaves the mood to the rules.</summary>
    public TurnPipeline(
        IChatClient? model, LabelLikelihoods? judge, RiskAssessor assessor, CrosstalkLibrary library, TurnLimits? limits = null, TimeProvider? time = null)
    {
        _model = model;
        _judge = judge;
        _assessor = assessor;
        _library = library;
        _limits = limits ?? new TurnLimits();
        _time = time ?? TimeProvider.System;
        _texts = new PresetTexts(_hotlines);
        _crisis = new CrisisReplies(_texts);
    }

    /// <summary>Runs one turn. The only exception that comes out is the caller's cancellation.</summary>
    public async IAsyncEnumerable<TurnEvent> RunAsync(TurnRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var turn = new TurnClock(_time);
        if (TaskResponder.IsTask(request.Messages))
        {
            var none = new Assessment(Route.Normal, Tier.T0, 0, [], []);
            foreach (var step in Preset(none, TaskResponder.Respond(request.Messages), "task", turn))
            {
                yield return step;
            }

            yield break;
        }

        var verdict = Judge(request);
        var language = LanguageOf.Tag(request.Language) ?? LanguageOf.Text(Conversation.RecentUserText(request.Messages, 3), _assessor.Normaliser);
        turn.Assessed();
        RiskLedger.Record(request.State, verdict, RefusesHumour(request), _time.GetUtcNow());

        if (PresetFor(verdict, language, request.State) is { } preset)
        {
            foreach (var step in Preset(verdict.Assessment, preset, "preset", turn))
            {
                yield return step;
            }

            yield break;
        }

        var conversation = Conversation.ForModel(request.Messages, _limits.LongestHistory, _limits.SystemPrompt);
        var assessment = await WithMoodAsync(request, verdict, conversation, turn, cancellationToken);
        yield return new TurnEvent.Assessed(assessment);
        await foreach (var step in ReplyAsync(request, assessment, verdict, conversation, language, turn, cancellationToken))
        {
            yield return step;
        }
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

    private string? PresetFor(RiskVerdict verdict, string language, ConversationState state)
    {
        if (verdict.Assessment.Route == Route.Danger)
        {
            return _crisis.For(verdict, language, state);
        }

        if (verdict.Findings.Signals.FirstOrDefault(s => s.Rule.StartsWith("harm.", StringComparison.Ordinal)) is { } harm)
        {
            return _texts.Choose(harm.Rule, language, state.UsedPresets, state.Turns);
        }

        return verdict.Findings.Tier == Tier.TF ? _crisis.Helper(language, state) : null;
    }

    private static IEnumerable<TurnEvent> Preset(Assessment assessment, string text, string reason, TurnClock turn)
    {
        yield return new TurnEvent.Assessed(assessment);
        yield return new TurnEvent.ReplyDelta(text);
        yield return new TurnEvent.Completed(new TurnResult(assessment, "", text, null, UsedModel: false, reason, turn.Timings(0)));
    }

    /// <summary>The assessment with the model's word on the mood, asked only where rules see no risk and the answer can change something.</summary>
    private async Task<Assessment> WithMoodAsync(
        TurnRequest request, RiskVerdict verdict, IReadOnlyList<ChatMessage> conversation, TurnClock turn, CancellationToken cancellationToken)
    {
        var assessment = verdict.Assessment;
        var couldMatter = assessment.Tier == Tier.T0 && request.HumourAllowed && !request.State.HumourRefused && !verdict.Findings.IsLow;
        if (_judge is null || !couldMatter)
        {
            return assessment;
        }

        var mood = await new MoodJudge(_judge, _limits.Judge, _time).AskAsync(conversation, cancellationToken);
        turn.Judged();
        return mood switch
        {
            Mood.Happy => assessment with { Route = Route.Happy, HappyEvidence = [.. assessment.HappyEvidence, "judge"] },
            Mood.Low => assessment with { Route = Route.Normal },
            Mood.Failed => assessment with
            {
                Route = Route.Normal,
                Tier = Tier.T1,
                Score = Math.Max(assessment.Score, RiskLedger.ScoreWithoutJudge),
                Signals = [.. assessment.Signals, new RiskSignal("judge.failed", Tier.T1, 0, 0)],
            },
            _ => assessment,
        };
    }

    private async IAsyncEnumerable<TurnEvent> ReplyAsync(
        TurnRequest request, Assessment assessment, RiskVerdict verdict, IReadOnlyList<ChatMessage> conversation, string language, TurnClock turn,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var draft = new ReplyDraft(_hotlines);
        var model = _model is null ? null : new ModelReply(_model, conversation, _limits.Complete(request.Options), _limits, _time);
        if (model is not null)
        {
            await foreach (var (thought, words) in model.ReadAsync(cancellationToken))
            {
                turn.Spoke(thought.Length + words.Length);
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
        foreach (var step in OwnWords(draft, reason, verdict, language, request.State))
        {
            yield return step;
        }

        var piece = reason is "stop" or "length" ? await OfferCrosstalkAsync(request, assessment, cancellationToken) : null;
        if (piece is not null)
        {
            yield return new TurnEvent.CrosstalkOffered(piece);
        }

        var timings = turn.Timings(model?.Tokens ?? 0);
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

    /// <summary>What the program says itself: in place of a cut reply, after a failure, and the caring question at T1.</summary>
    private IEnumerable<TurnEvent> OwnWords(ReplyDraft draft, string reason, RiskVerdict verdict, string language, ConversationState state)
    {
        string Preset(string family) => _texts.Choose(family, language, state.UsedPresets, state.Turns);
        if (draft.Broken is { } broken)
        {
            yield return draft.Replace(Preset(broken.Family));
        }
        else if (reason == "error")
        {
            yield return draft.Append(Preset(verdict.After.Tier == Tier.T0 ? "model.unavailable" : "model.unavailable.worried"));
        }

        if (verdict.Findings.Tier == Tier.T1)
        {
            yield return draft.Append(_crisis.GentleQuestion(language, state));
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

        var piece = await _library.FindAsync(Situation.Of(request.Messages), state.OfferedCrosstalk, cancellationToken);
        if (piece is not null)
        {
            state.OfferedCrosstalk.Add(piece.Id);
            state.LastCrosstalkTurn = state.Turns;
        }

        return piece;
    }
}
