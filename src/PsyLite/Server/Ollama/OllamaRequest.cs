using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Server.Pipelines;

namespace PsyLite.Server.Ollama;

/// <summary>A request of Ollama's <c>/api/chat</c> or <c>/api/generate</c>.</summary>
/// <param name="Turn">Null where nothing is asked, which to Ollama means: load the model.</param>
/// <param name="IsUnload">Nothing is asked, and the model is to go.</param>
/// <param name="IsGenerate">The words travel in <c>response</c>, not in <c>message</c>.</param>
internal sealed record OllamaRequest(string Model, ServedTurn? Turn, bool Stream, bool IsUnload, bool IsGenerate)
{
    public static OllamaRequest OfChat(JsonElement body, Caller caller, PipeValves valves)
    {
        var messages = MessageList.ParseAny(body);
        return Of(body, caller, valves, messages.Count == 0 ? null : MessageList.Parse(body), isGenerate: false);
    }

    public static OllamaRequest OfGenerate(JsonElement body, Caller caller, PipeValves valves)
    {
        // Templates and raw prompts would go round the turn; only the words of the prompt count.
        var prompt = JsonBody.Text(body, "prompt") ?? "";
        return Of(body, caller, valves, prompt.Length == 0 ? null : [MessageList.OfUser(prompt)], isGenerate: true);
    }

    private static OllamaRequest Of(JsonElement body, Caller caller, PipeValves valves, IReadOnlyList<ChatMessage>? messages, bool isGenerate)
    {
        var model = ModelOf(body);
        var thinks = Thinks(body, model, valves);
        var options = Options(body);
        var turn = messages is null ? null : new ServedTurn("ollama", model, messages, options, caller, valves)
        {
            ShowsReasoning = thinks,
            Format = ReplyFormat.OfOllama(body),
            Likelihoods = JsonBody.Flag(body, "logprobs") == true ? TokenLikelihoods.AskIn(options, (int)(JsonBody.Whole(body, "top_logprobs", 0, 20) ?? 0)) : null,
        };
        var isUnload = body.TryGetProperty("keep_alive", out var keep)
            && (keep.ValueKind == JsonValueKind.Number ? keep.TryGetDouble(out var seconds) && seconds == 0 : keep.ValueKind == JsonValueKind.String && keep.GetString() is "0" or "0s");
        return new OllamaRequest(model, turn, JsonBody.Flag(body, "stream") ?? true, turn is null && isUnload, isGenerate);
    }

    /// <summary>The model that a request names, if it is offered.</summary>
    public static string ModelOf(JsonElement body)
    {
        var model = JsonBody.Text(body, "model") ?? JsonBody.Text(body, "name");
        return string.IsNullOrEmpty(model) ? throw ApiException.Invalid("model is required", "model")
            : ServedModel.Is(model) ? model
            : throw new ApiException(404, "model_not_found", $"model '{model}' not found", "model");
    }

    /// <summary>Ollama's rule: on unless told otherwise, and an error where it is asked for and cannot be had.</summary>
    private static bool Thinks(JsonElement body, string model, PipeValves valves)
    {
        bool? asked = !body.TryGetProperty("think", out var think) ? null : think.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Null => null,
            JsonValueKind.String when think.GetString() is "low" or "medium" or "high" or "max" => true,
            _ => throw ApiException.Invalid("think must be true, false, low, medium, high or max", "think"),
        };
        return asked == true && !valves.ShowsReasoning ? throw ApiException.Invalid($"\"{model}\" does not support thinking", "think") : asked ?? valves.ShowsReasoning;
    }

    private static ChatOptions Options(JsonElement body)
    {
        if (JsonBody.Object(body, "options") is not { } given)
        {
            return new ChatOptions();
        }

        // -1 and -2 mean "no end" and "until the context is full".
        var most = JsonBody.Whole(given, "num_predict", -2);
        var options = new ChatOptions
        {
            Temperature = JsonBody.Number(given, "temperature", 0, 10),
            TopP = JsonBody.Number(given, "top_p", 0, 1),
            TopK = JsonBody.Whole(given, "top_k", 0, int.MaxValue) is { } top ? (int)top : null,
            Seed = JsonBody.Whole(given, "seed", long.MinValue),
            FrequencyPenalty = JsonBody.Number(given, "frequency_penalty", -2, 2),
            PresencePenalty = JsonBody.Number(given, "presence_penalty", -2, 2),
            MaxOutputTokens = most > 0 ? (int)Math.Min(most.Value, int.MaxValue) : null,
            StopSequences = JsonBody.Stops(given),
        };
        Add(options, "min_p", JsonBody.Number(given, "min_p", 0, 1));
        Add(options, "repeat_penalty", JsonBody.Number(given, "repeat_penalty", 0, 10));
        Add(options, "repeat_last_n", JsonBody.Whole(given, "repeat_last_n", -1, int.MaxValue) is { } last ? (int?)last : null);
        return options;
    }

    private static void Add<T>(ChatOptions options, string name, T? value)
        where T : struct
    {
        if (value is { } given)
        {
            options.AdditionalProperties ??= [];
            options.AdditionalProperties[name] = given;
        }
    }
}
