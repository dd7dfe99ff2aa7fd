using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Server.Pipelines;

namespace PsyLite.Server.OpenAi;

/// <summary>
/// The parts of an OpenAI chat completion request that PsyLite uses. Read from the JSON by hand: unknown keys are ignored,
/// <c>user</c> may be a string or an object (Open WebUI), <c>content</c> a string or a list of parts.
/// </summary>
internal sealed record ChatCompletionRequest(ServedTurn Turn, bool Stream, bool IncludeUsage)
{
    /// <summary>Most alternatives for one token.</summary>
    private const int MaxAlternatives = 20;

    /// <param name="surface">Name of the way in.</param>
    /// <param name="streamByDefault">What a missing <c>stream</c> means: false for OpenAI, true for Pipelines.</param>
    /// <exception cref="ApiException">The body is not such a request.</exception>
    public static ChatCompletionRequest Parse(JsonElement body, Caller caller, PipeValves valves, string surface, bool streamByDefault)
    {
        var model = JsonBody.Text(body, "model") ?? throw ApiException.Invalid("model is required", "model");
        var messages = MessageList.Parse(body);
        var stream = JsonBody.Flag(body, "stream") ?? streamByDefault;
        var includeUsage = JsonBody.Object(body, "stream_options") is { } streaming && (JsonBody.Flag(streaming, "include_usage") ?? false);
        if (JsonBody.Whole(body, "n", 1) > 1)
        {
            throw ApiException.Invalid("n must be 1: a turn gives one reply", "n");
        }

        var options = ParseOptions(body);
        var turn = new ServedTurn(surface, model, messages, options, caller, valves)
        {
            ShowsReasoning = valves.ShowsReasoning,
            Format = ReplyFormat.OfOpenAi(body),
            Likelihoods = JsonBody.Flag(body, "logprobs") == true
                ? TokenLikelihoods.AskIn(options, (int)(JsonBody.Whole(body, "top_logprobs", 0, MaxAlternatives) ?? 0))
                : null,
        };
        return new ChatCompletionRequest(turn, stream, includeUsage);
    }

    private static ChatOptions ParseOptions(JsonElement body) => new()
    {
        Temperature = JsonBody.Number(body, "temperature", 0, 2),
        TopP = JsonBody.Number(body, "top_p", 0, 1),
        FrequencyPenalty = JsonBody.Number(body, "frequency_penalty", -2, 2),
        PresencePenalty = JsonBody.Number(body, "presence_penalty", -2, 2),
        Seed = JsonBody.Whole(body, "seed", long.MinValue),
        MaxOutputTokens = (JsonBody.Whole(body, "max_completion_tokens", 1) ?? JsonBody.Whole(body, "max_tokens", 1)) is { } most ? (int)Math.Min(most, int.MaxValue) : null,
        StopSequences = JsonBody.Stops(body),
    };
}
