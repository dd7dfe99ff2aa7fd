using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Engine;
using PsyLite.Engine.Remote;
using PsyLite.Evaluation.Runs;
using PsyLite.Options;

namespace PsyLite.Commands.Eval;

/// <summary>In which numbers, and in which order, a local model is computed.</summary>
internal enum Arithmetic
{
    /// <summary>
    /// As the model is served, save that weights are not rearranged for speed: the rearranged products add up in an order that depends on what
    /// else is computed at the time, and a run that was stopped would not give the same words when it goes on.
    /// </summary>
    Steady,

    /// <summary>As the model is served.</summary>
    Fast,

    /// <summary>
    /// Cache and attention in float32: likelihoods are those of a plain llama.cpp decode. Rounding a cache to 8 or 16 bits moves them by up to
    /// 0.3 nats, since the products behind it round their inputs to 8 bits once more.
    /// </summary>
    Exact,
}

/// <summary>What stands around a model.</summary>
internal enum Surroundings
{
    None,

    /// <summary>The whole counselling turn.</summary>
    Turn,

    /// <summary>The turn as around the built-in model, which is asked without the house's system prompt: for stages and forms of that model.</summary>
    BuiltInTurn,
}

/// <summary>A model that is evaluated, or one that judges: in this process or elsewhere, bare or with the counselling turn around it.</summary>
internal sealed class EvaluatedModel : IDisposable
{
    /// <summary>Requests at once to an engine elsewhere.</summary>
    private const int RemoteParallel = 8;

    private readonly IDisposable _owned;

    private EvaluatedModel(Respondent respondent, IDisposable owned) => (Respondent, _owned) = (respondent, owned);

    public Respondent Respondent { get; }

    /// <param name="parallel">Requests at once; null is as many as the engine computes together.</param>
    /// <param name="isJudge">Its address and key come from elsewhere, as messages say.</param>
    public static Task<EvaluatedModel> OpenAsync(AppOptions options, Surroundings around, Arithmetic arithmetic, int? parallel, CancellationToken cancellationToken, bool isJudge = false) => options.Engine == EngineKind.Llama
        ? OpenLocalAsync(options, around, arithmetic, parallel, cancellationToken)
        : OpenRemoteAsync(options, around != Surroundings.None, parallel, isJudge);

    public void Dispose() => _owned.Dispose();

    private static LlamaOptions With(LlamaOptions options, Arithmetic arithmetic) => arithmetic switch
    {
        Arithmetic.Fast => options,
        Arithmetic.Exact => options with { Repack = false, KvCache = KvCacheType.F32, FlashAttention = false },
        _ => options with { Repack = false },
    };

    private static async Task<EvaluatedModel> OpenLocalAsync(AppOptions options, Surroundings around, Arithmetic arithmetic, int? parallel, CancellationToken cancellationToken)
    {
        var withAgent = around != Surroundings.None;
        var engine = With(Composition.EngineOptions(options), arithmetic);
        var model = LlamaModel.Load(parallel is { } sequences ? engine with { Sequences = sequences } : engine, cancellationToken: cancellationToken);
        var client = new LlamaChatClient(model);
        await client.Ready;

        // The turn takes a model without a name for the built-in one; which model it is given is settled here.
        var turn = around == Surroundings.BuiltInTurn ? options with { Model = null } : options;
        var window = new ContextWindow(text => model.Tokenize(text).Length, model.ContextLength);
        var windowed = new WindowedChatClient(client, window, model);
        var facts = new ModelFacts(Path.GetFileName(options.ModelPath), "llama.cpp")
        {
            Sha256 = await model.Sha256Async(cancellationToken),
            TemplateSha256 = model.Template is { } template ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(template))) : null,
            Description = model.Description,
            ContextLength = model.ContextLength,
            WithAgent = withAgent,
            Settings = new Dictionary<string, string>
            {
                ["cache"] = $"{model.Plan.KvCache}",
                ["repacked"] = $"{model.Plan.Repack}",
                ["top_k, top_p, min_p"] = "40, 0.9, 0.05",
                ["batch"] = $"{model.Plan.BatchLength}",
                ["turn"] = withAgent ? EvalRun.CodeVersion : "none",
                ["system prompt"] = withAgent && !turn.IsBuiltInModel ? "the program's own" : "none",
            },
        };
        var loaded = new LoadedModel(windowed, (conversation, labels, token) => client.ScoreAsync(window.Fit(conversation).Messages, labels, token), model.Description, model.Plan) { CountTokens = text => model.Tokenize(text).Length };
        var composition = withAgent ? Composition.Create(turn, load: () => Task.FromResult(loaded)) : null;
        return new EvaluatedModel(
            new Respondent(facts, composition is null ? Bare(windowed) : Turn(composition), parallel ?? model.Plan.Sequences)
            {
                Texts = composition is null ? async (texts, token) => Likelihoods(await client.ScoreTextsAsync(texts, token)) : null,
                CountTokens = text => model.Tokenize(text).Length,
            },
            composition ?? (IDisposable)windowed);
    }

    private static async Task<EvaluatedModel> OpenRemoteAsync(AppOptions options, bool withAgent, int? parallel, bool isJudge)
    {
        var client = new RemoteChatClient(new RemoteOptions
        {
            Protocol = options.Engine == EngineKind.Ollama ? RemoteProtocol.Ollama : RemoteProtocol.OpenAi,
            Endpoints = options.Endpoints,
            Model = options.Model,
            Key = options.EndpointKey,
            ContextLength = options.Context,
            KeySource = isJudge ? "PSYLITE_JUDGE_KEY (PSYLITE_SECOND_JUDGE_KEY for a second host)" : "PSYLITE_ENDPOINT_KEY",
            AddressSource = isJudge ? "--judge" : "--endpoint",

            // Nobody waits for a reply here, and a machine that is slow with one of eight requests has not failed.
            FirstToken = TimeSpan.FromMinutes(15),
            Idle = TimeSpan.FromMinutes(3),
            LongestWait = TimeSpan.FromMinutes(2),
        });
        await client.Ready;
        if (client.Problem is { } problem)
        {
            await client.DisposeAsync();
            throw new RemoteException(problem);
        }

        var facts = new ModelFacts(options.Model ?? client.Description, $"{options.Engine}")
        {
            Endpoint = string.Join(", ", options.Endpoints.Select(e => e.Authority)),
            Description = client.Description,
            WithAgent = withAgent,
        };
        var window = new ContextWindow(text => text.Length, options.Context);
        var composition = withAgent ? Composition.Create(options, load: () => Task.FromResult(new LoadedModel(
            new WindowedChatClient(client, window, client), (conversation, labels, token) => client.ScoreAsync(conversation, labels, token), client.Description))) : null;
        return new EvaluatedModel(new Respondent(facts, composition is null ? PatientAsking.Of(Bare(client), TimeProvider.System) : Turn(composition), parallel ?? RemoteParallel), composition ?? (IDisposable)client);
    }

    private static SharedTextLikelihoods Likelihoods(TextScores scores) => new(scores.Shared, scores.SharedTokens, scores.Rest, scores.RestTokens);

    private static ChatOptions Options(Sampling sampling) => new() { Temperature = sampling.Temperature, MaxOutputTokens = sampling.MaxTokens, Seed = sampling.Seed };

    private static AskModel Bare(IChatClient client) => async (messages, sampling, cancellationToken) =>
    {
        var response = await client.GetResponseAsync(messages, Options(sampling), cancellationToken);
        var usage = response.Usage;
        var leftOut = usage?.AdditionalCounts?.GetValueOrDefault(WindowedChatClient.TurnsLeftOut) ?? 0;
        return new Answer(
            response.Text.Trim(),
            string.Concat(response.Messages.SelectMany(m => m.Contents.OfType<TextReasoningContent>()).Select(r => r.Text)).Trim(),
            response.FinishReason == ChatFinishReason.Length ? "length" : "stop",
            (int)(usage?.InputTokenCount ?? 0),
            (int)(usage?.OutputTokenCount ?? 0),
            leftOut > 0 ? $"{leftOut} exchanges left out" : "");
    };

    /// <summary>The turn as the program serves it; a piece of crosstalk comes folded beside the reply and is no part of it.</summary>
    private static AskModel Turn(Composition parts) => async (messages, sampling, cancellationToken) =>
    {
        TurnResult? result = null;
        await foreach (var step in parts.Pipeline.RunAsync(new TurnRequest(messages, new ConversationState()) { Options = Options(sampling) }, cancellationToken))
        {
            result = (step as TurnEvent.Completed)?.Result ?? result;
        }

        // An apology for a model that said nothing is what the person gets, and so the answer; for an engine that is gone it is none.
        return result!.FinishReason == "error" && parts.Model.Problem is not null
            ? throw new InvalidOperationException($"没有得到回应 · The model gave no reply ({parts.Model.Problem ?? "engine error"}): run the command again, it goes on where it stopped.")
            : new Answer(result.Reply.Trim(), result.Reasoning.Trim(), result.FinishReason, result.PromptTokens, result.Timings.ReplyTokens,
                $"{result.Assessment.Route} {result.Assessment.Tier}{(result.Crosstalk is null ? "" : ", crosstalk offered")}");
    };
}
