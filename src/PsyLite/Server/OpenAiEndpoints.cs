using System.Text.Json;
using System.Text.Json.Nodes;
using PsyLite.Agent;

namespace PsyLite.Server;

/// <summary><c>/v1/models</c> and <c>/v1/chat/completions</c> in OpenAI's shapes; every completion runs the whole turn.</summary>
internal static class OpenAiEndpoints
{
    /// <summary>The turn over the configured model.</summary>
    public const string ModelId = "psylite";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", (TimeProvider time) => Results.Json(new
        {
            @object = "list",
            data = new[] { new { id = ModelId, @object = "model", created = time.GetUtcNow().ToUnixTimeSeconds(), owned_by = "psylite" } },
        }));
        routes.MapGet("/v1/models/{id}", (string id, TimeProvider time) => id == ModelId
            ? Results.Json(new { id, @object = "model", created = time.GetUtcNow().ToUnixTimeSeconds(), owned_by = "psylite" })
            : throw UnknownModel(id));
        routes.MapPost("/v1/chat/completions", CompleteAsync);
    }

    private static async Task CompleteAsync(HttpContext http, TurnPipeline pipeline, ConversationReplay replay, TimeProvider time)
    {
        var request = ChatCompletionRequest.Parse(await ReadBodyAsync(http), streamByDefault: false);
        if (request.Model is not (ModelId or ModelId + ":latest"))
        {
            throw UnknownModel(request.Model);
        }

        var turn = replay.Rebuild(request);
        var writer = new CompletionWriter(http.Response, request, time.GetUtcNow().ToUnixTimeSeconds());
        if (request.Stream)
        {
            await writer.StreamAsync(pipeline.RunAsync(turn, http.RequestAborted), http.RequestAborted);
        }
        else
        {
            await writer.WriteWholeAsync(pipeline.RunAsync(turn, http.RequestAborted), http.RequestAborted);
        }
    }

    private static async Task<JsonElement> ReadBodyAsync(HttpContext http)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(http.Request.Body, new JsonDocumentOptions { MaxDepth = 32 }, http.RequestAborted);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw new ApiException(400, "invalid_request_error", "the body is not valid JSON");
        }
    }

    private static ApiException UnknownModel(string id) =>
        new(404, "model_not_found", $"the model {id} does not exist here; this server offers {ModelId}", "model");
}

/// <summary>Writes one completion, streamed or whole, from the events of a turn.</summary>
internal sealed class CompletionWriter(HttpResponse response, ChatCompletionRequest request, long created)
{
    private readonly string _id = $"chatcmpl-{Guid.NewGuid():N}";

    public async Task StreamAsync(IAsyncEnumerable<TurnEvent> events, CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        await SendDeltaAsync(new JsonObject { ["role"] = "assistant", ["content"] = "" }, cancellationToken);
        var shown = 0;
        try
        {
            await foreach (var e in events.WithCancellation(cancellationToken))
            {
                switch (e)
                {
                    case TurnEvent.ReasoningDelta delta:
                        await SendDeltaAsync(new JsonObject { ["reasoning_content"] = delta.Text }, cancellationToken);
                        break;
                    case TurnEvent.ReplyDelta delta:
                        shown += delta.Text.Length;
                        await SendDeltaAsync(new JsonObject { ["content"] = delta.Text }, cancellationToken);
                        break;
                    case TurnEvent.ReplyReplaced replaced:
                        // A stream cannot be taken back: set the new words apart from what was shown.
                        await SendDeltaAsync(new JsonObject { ["content"] = (shown > 0 ? "\n\n" : "") + replaced.Text }, cancellationToken);
                        break;
                    case TurnEvent.CrosstalkOffered offered:
                        await SendDeltaAsync(new JsonObject { ["content"] = CrosstalkFold.Render(offered.Piece) }, cancellationToken);
                        break;
                    case TurnEvent.Completed completed:
                        await SendAsync(Chunk(new JsonObject(), completed.Result.FinishReason), cancellationToken);
                        if (request.IncludeUsage)
                        {
                            var chunk = Chunk(null, null);
                            chunk["usage"] = Usage(completed.Result);
                            await SendAsync(chunk, cancellationToken);
                        }

                        break;
                }
            }

            await response.WriteAsync("data: [DONE]\n\n", cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A stream that merely stops looks complete to clients; an error event does not.
            await SendAsync(new JsonObject { ["error"] = new JsonObject { ["message"] = "the reply broke off; please try again", ["type"] = "server_error", ["code"] = "reply_interrupted" } }, cancellationToken);
            throw;
        }
    }

    public async Task WriteWholeAsync(IAsyncEnumerable<TurnEvent> events, CancellationToken cancellationToken)
    {
        TurnResult? result = null;
        await foreach (var e in events.WithCancellation(cancellationToken))
        {
            result = (e as TurnEvent.Completed)?.Result ?? result;
        }

        var done = result ?? throw new InvalidOperationException("the turn ended without a result.");
        var message = new JsonObject
        {
            ["role"] = "assistant",
            ["content"] = done.Reply + (done.Crosstalk is { } piece ? CrosstalkFold.Render(piece) : ""),
        };
        if (done.Reasoning.Length > 0)
        {
            message["reasoning_content"] = done.Reasoning;
        }

        var body = new JsonObject
        {
            ["id"] = _id,
            ["object"] = "chat.completion",
            ["created"] = created,
            ["model"] = request.Model,
            ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["message"] = message, ["logprobs"] = null, ["finish_reason"] = done.FinishReason }),
            ["usage"] = Usage(done),
        };
        response.ContentType = "application/json; charset=utf-8";
        await response.WriteAsync(body.ToJsonString(ApiErrors.Json), cancellationToken);
    }

    private static JsonObject Usage(TurnResult result) => new()
    {
        ["prompt_tokens"] = result.PromptTokens,
        ["completion_tokens"] = result.Timings.ReplyTokens,
        ["total_tokens"] = result.PromptTokens + result.Timings.ReplyTokens,
    };

    private Task SendDeltaAsync(JsonObject delta, CancellationToken cancellationToken) => SendAsync(Chunk(delta, null), cancellationToken);

    private JsonObject Chunk(JsonObject? delta, string? finishReason) => new()
    {
        ["id"] = _id,
        ["object"] = "chat.completion.chunk",
        ["created"] = created,
        ["model"] = request.Model,
        ["choices"] = delta is null
            ? []
            : new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["logprobs"] = null, ["finish_reason"] = finishReason }),
    };

    private async Task SendAsync(JsonObject chunk, CancellationToken cancellationToken)
    {
        await response.WriteAsync($"data: {chunk.ToJsonString(ApiErrors.Json)}\n\n", cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }
}
