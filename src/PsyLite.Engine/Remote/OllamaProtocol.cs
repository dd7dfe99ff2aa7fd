using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PsyLite.Engine.Remote;

/// <summary>Ollama's own chat API: one JSON object a line.</summary>
internal sealed class OllamaProtocol(int contextLength) : IRemoteProtocol
{
    private const int Rivals = 20;
    private const int ChoiceTokens = 24;

    public Uri ChatAddress(Uri endpoint) => Below(endpoint, "api/chat");

    public Uri ProbeAddress(Uri endpoint) => Below(endpoint, "api/tags");

    public string? FirstModel(JsonElement listing) => listing.Array("models").Select(m => m.Text("model") is { Length: > 0 } name ? name : m.Text("name")).FirstOrDefault(n => n.Length > 0);

    public JsonObject Chat(IReadOnlyList<RemoteMessage> messages, ChatOptions? options, string model)
    {
        var settings = new JsonObject { ["num_ctx"] = contextLength };
        settings.Put("temperature", options?.Temperature).Put("top_p", options?.TopP).Put("top_k", options?.TopK).Put("num_predict", options?.MaxOutputTokens)
            .Put("seed", options?.Seed).Put("frequency_penalty", options?.FrequencyPenalty).Put("presence_penalty", options?.PresencePenalty);
        if (options?.StopSequences is { Count: > 0 } stops)
        {
            settings["stop"] = new JsonArray([.. stops.Select(s => (JsonNode)s)]);
        }

        return new JsonObject { ["model"] = model, ["messages"] = RemoteMessage.ToJson(messages), ["stream"] = true, ["options"] = settings };
    }

    public async IAsyncEnumerable<RemotePiece> ReadAsync(Stream body, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var lines = new StreamReader(body, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: false);
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0)
            {
                yield return Piece(line);
            }
        }
    }

    public JsonObject LikelihoodRequest(IReadOnlyList<RemoteMessage> messages, string model)
    {
        var body = Short(messages, model, 1);
        body["logprobs"] = true;
        body["top_logprobs"] = Rivals;
        return body;
    }

    public JsonObject ChoiceRequest(IReadOnlyList<RemoteMessage> messages, IReadOnlyList<string> labels, string model)
    {
        var body = Short(messages, model, ChoiceTokens);
        body["format"] = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. labels.Select(l => (JsonNode)l)]) };
        return body;
    }

    public IReadOnlyList<LikelyToken> FirstToken(JsonElement response) => response.Array("logprobs").Take(1).SelectMany(OpenAiProtocol.Tokens).ToList();

    public string? Choice(JsonElement response)
    {
        var content = response.Object("message").Text("content").Trim();
        if (!content.StartsWith('"'))
        {
            return content;
        }

        try
        {
            return JsonSerializer.Deserialize<string>(content);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private JsonObject Short(IReadOnlyList<RemoteMessage> messages, string model, int tokens) => new()
    {
        ["model"] = model,
        ["messages"] = RemoteMessage.ToJson(messages),
        ["stream"] = false,

        // false is taken by every model; unset, a model that can think would spend its tokens on that.
        ["think"] = false,
        ["options"] = new JsonObject { ["num_ctx"] = contextLength, ["num_predict"] = tokens, ["temperature"] = 0 },
    };

    private static Uri Below(Uri endpoint, string path) => new($"{endpoint.AbsoluteUri.TrimEnd('/')}/{path}");

    private static RemotePiece Piece(string line)
    {
        using var json = JsonDocument.Parse(line);
        var root = json.RootElement;
        if (root.Text("error").Length > 0)
        {
            throw new RemoteException("the endpoint broke the reply off with an error");
        }

        var message = root.Object("message");
        var isDone = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("done", out var done) && done.ValueKind == JsonValueKind.True;
        return new RemotePiece(
            message.Text("thinking"),
            message.Text("content"),
            !isDone ? null : root.Text("done_reason") == "length" ? ChatFinishReason.Length : ChatFinishReason.Stop,
            root.Number("eval_count") is not { } output ? null : new UsageDetails
            {
                InputTokenCount = root.Number("prompt_eval_count"),
                OutputTokenCount = output,
                TotalTokenCount = (root.Number("prompt_eval_count") ?? 0) + output,
            },
            isDone);
    }
}
