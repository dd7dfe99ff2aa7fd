using System.Text.Json.Nodes;
using PsyLite.Agent;

namespace PsyLite.Server;

/// <summary>Writes one completion, streamed or whole, from the events of a turn.</summary>
internal sealed class CompletionWriter(HttpResponse response, ChatCompletionRequest request, long created)
{
    private readonly string _id = $"chatcmpl-{Guid.NewGuid():N}";

    /// <summary>Sends the reply as it grows and returns the finished turn.</summary>
    public async Task<TurnResult> StreamAsync(IAsyncEnumerable<TurnEvent> events, CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        await SendDeltaAsync(new JsonObject { ["role"] = "assistant", ["content"] = "" }, cancellationToken);
        try
        {
            var result = await SendEventsAsync(events, cancellationToken);
            await SendAsync(Chunk(new JsonObject(), FinishReason(result)), cancellationToken);
            if (request.IncludeUsage)
            {
                var chunk = Chunk(null, null);
                chunk["usage"] = Usage(result);
                await SendAsync(chunk, cancellationToken);
            }

            await response.WriteAsync("data: [DONE]\n\n", cancellationToken);
            return result;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A stream that merely stops looks complete to clients; an error event does not.
            await SendAsync(new JsonObject { ["error"] = new JsonObject { ["message"] = "the reply broke off; please try again", ["type"] = "server_error", ["code"] = "reply_interrupted" } }, cancellationToken);
            throw;
        }
    }

    /// <summary>Sends the reply in one piece and returns the finished turn.</summary>
    public async Task<TurnResult> WriteWholeAsync(IAsyncEnumerable<TurnEvent> events, CancellationToken cancellationToken)
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
            ["refusal"] = null,
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
            ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["message"] = message, ["logprobs"] = null, ["finish_reason"] = FinishReason(done) }),
            ["usage"] = Usage(done),
        };
        response.ContentType = "application/json; charset=utf-8";
        await response.WriteAsync(body.ToJsonString(ApiErrors.Json), cancellationToken);
        return done;
    }

    private async Task<TurnResult> SendEventsAsync(IAsyncEnumerable<TurnEvent> events, CancellationToken cancellationToken)
    {
        TurnResult? result = null;
        var shown = 0;
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
                    result = completed.Result;
                    break;
            }
        }

        return result ?? throw new InvalidOperationException("the turn ended without a result.");
    }

    /// <summary>OpenAI's word for how a turn ended; a preset, a task's answer and an apology are whole replies.</summary>
    private static string FinishReason(TurnResult result) => result.FinishReason switch
    {
        "length" => "length",
        "guard" => "content_filter",
        _ => "stop",
    };

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
