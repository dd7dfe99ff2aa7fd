using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PsyLite.Engine.Remote;

/// <summary>Chat completions as OpenAI, vLLM and llama-server speak them; unknown fields, null texts and empty choices are passed over.</summary>
internal sealed class OpenAiProtocol : IRemoteProtocol
{
    private const int Rivals = 20;

    /// <summary>Room for the longest label in the worst tokenisation.</summary>
    private const int ChoiceTokens = 16;

    public Uri ChatAddress(Uri endpoint) => Below(endpoint, "chat/completions");

    public Uri ProbeAddress(Uri endpoint) => Below(endpoint, "models");

    public string? FirstModel(JsonElement listing) => listing.Array("data").Select(m => m.Text("id")).FirstOrDefault(id => id.Length > 0);

    public JsonObject Chat(IReadOnlyList<RemoteMessage> messages, ChatOptions? options, string model)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["messages"] = RemoteMessage.ToJson(messages),
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
        };
        body.Put("temperature", options?.Temperature).Put("top_p", options?.TopP).Put("max_tokens", options?.MaxOutputTokens).Put("seed", options?.Seed)
            .Put("frequency_penalty", options?.FrequencyPenalty).Put("presence_penalty", options?.PresencePenalty);
        if (options?.StopSequences is { Count: > 0 } stops)
        {
            body["stop"] = new JsonArray([.. stops.Select(s => (JsonNode)s)]);
        }

        return body;
    }

    public async IAsyncEnumerable<RemotePiece> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in SseParser.Create(body, (_, data) => Piece(data)).EnumerateAsync(cancellationToken))
        {
            yield return item.Data;
        }
    }

    public JsonObject LikelihoodRequest(IReadOnlyList<RemoteMessage> messages, string model) => new()
    {
        ["model"] = model,
        ["messages"] = RemoteMessage.ToJson(messages),
        ["stream"] = false,
        ["temperature"] = 0,
        ["max_tokens"] = 1,
        ["logprobs"] = true,
        ["top_logprobs"] = Rivals,
    };

    /// <summary>Each server takes the constraint it knows and passes over the others: llama-server a grammar, vLLM a choice by its new or old name.</summary>
    public JsonObject ChoiceRequest(IReadOnlyList<RemoteMessage> messages, IReadOnlyList<string> labels, string model) => new()
    {
        ["model"] = model,
        ["messages"] = RemoteMessage.ToJson(messages),
        ["stream"] = false,
        ["temperature"] = 0,
        ["max_tokens"] = ChoiceTokens,
        ["grammar"] = "root ::= " + string.Join(" | ", labels.Select(l => JsonSerializer.Serialize(l, Json.Readable))),
        ["structured_outputs"] = new JsonObject { ["choice"] = Labels(labels) },
        ["guided_choice"] = Labels(labels),
        ["chat_template_kwargs"] = new JsonObject { ["enable_thinking"] = false },
    };

    public IReadOnlyList<LikelyToken> FirstToken(JsonElement response) =>
        response.Array("choices").Take(1).Select(c => c.Object("logprobs")).SelectMany(l => l.Array("content")).Take(1).SelectMany(Tokens).ToList();

    public string? Choice(JsonElement response) => response.Array("choices").Select(c => c.Object("message").Text("content")).FirstOrDefault();

    /// <summary>A token of a likelihood list: its bytes where they are told, since its text may be a cut character.</summary>
    internal static IEnumerable<LikelyToken> Tokens(JsonElement position) =>
        from rival in position.Array("top_logprobs")
        where rival.TryGetProperty("logprob", out var log) && log.ValueKind == JsonValueKind.Number
        let bytes = rival.Array("bytes").Select(b => b.TryGetByte(out var value) ? value : (byte)0).ToArray()
        select new LikelyToken(bytes.Length > 0 ? bytes : Encoding.UTF8.GetBytes(rival.Text("token")), rival.GetProperty("logprob").GetDouble());

    private static JsonArray Labels(IReadOnlyList<string> labels) => new([.. labels.Select(l => (JsonNode)l)]);

    /// <summary>Addresses are given with or without /v1.</summary>
    private static Uri Below(Uri endpoint, string path)
    {
        var root = endpoint.AbsoluteUri.TrimEnd('/');
        return new Uri($"{root}{(root.EndsWith("/v1", StringComparison.Ordinal) ? "" : "/v1")}/{path}");
    }

    private static RemotePiece Piece(ReadOnlySpan<byte> data)
    {
        if (data.Trim(" \r\n"u8).SequenceEqual("[DONE]"u8))
        {
            return new RemotePiece(IsEnd: true);
        }

        var reader = new Utf8JsonReader(data);
        using var json = JsonDocument.ParseValue(ref reader);
        var root = json.RootElement;
        if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out var error) && error.ValueKind != JsonValueKind.Null)
        {
            throw new RemoteException("the endpoint broke the reply off with an error");
        }

        var choice = root.Array("choices").FirstOrDefault();
        var delta = choice.Object("delta");
        var reasoning = delta.Text("reasoning_content") is { Length: > 0 } older ? older : delta.Text("reasoning");
        return new RemotePiece(reasoning, delta.Text("content"), Finish(choice.Text("finish_reason")), Usage(root.Object("usage")));
    }

    private static ChatFinishReason? Finish(string reason) => reason switch
    {
        "" => null,
        "length" => ChatFinishReason.Length,
        "content_filter" => ChatFinishReason.ContentFilter,
        _ => ChatFinishReason.Stop,
    };

    private static UsageDetails? Usage(JsonElement usage) => usage.Number("completion_tokens") is not { } output ? null : new UsageDetails
    {
        InputTokenCount = usage.Number("prompt_tokens"),
        CachedInputTokenCount = usage.Object("prompt_tokens_details").Number("cached_tokens"),
        OutputTokenCount = output,
        TotalTokenCount = (usage.Number("prompt_tokens") ?? 0) + output,
    };
}
