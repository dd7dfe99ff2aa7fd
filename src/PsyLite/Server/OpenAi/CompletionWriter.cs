using System.Text.Json.Nodes;
using PsyLite.Agent;
using PsyLite.Server.Observability;

namespace PsyLite.Server.OpenAi;

/// <summary>What a writer needs besides the turn.</summary>
internal sealed record WritingTools(ServerLimits Limits, OpenTurns Turns, Telemetry Telemetry);

/// <summary>Writes one completion, streamed or whole, from the events of a turn.</summary>
internal sealed class CompletionWriter(HttpContext http, ChatCompletionRequest request, WritingTools tools)
{
    private readonly string _id = request.Turn.Surface == "pipelines" ? $"{request.Turn.Model}-{Guid.NewGuid()}" : $"chatcmpl-{Guid.NewGuid():N}";
    private readonly long _created = tools.Telemetry.Time.GetUtcNow().ToUnixTimeSeconds();
    private readonly ServedTurn _turn = request.Turn;
    private bool _hasStatus;

    /// <summary>Pieces of the reply that are on the person's screen.</summary>
    private int _shownPieces;

    /// <summary>Sends the reply as it grows.</summary>
    /// <param name="events">The turn.</param>
    /// <param name="ends">Ends when the caller leaves or the server cuts the turn.</param>
    public async Task StreamAsync(IAsyncEnumerable<TurnEvent> events, CancellationToken ends)
    {
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        await SendDeltaAsync(new JsonObject { ["role"] = "assistant", ["content"] = "" }, null, ends);
        try
        {
            var result = await SendEventsAsync(events, ends);
            if (result.FinishReason == "error" && _shownPieces > 1)
            {
                // Part of the model's reply is on the screen, our own words under it: it must not look complete.
                await SendErrorAsync("reply_interrupted", "the model broke off in the middle of the reply; please try again");
                return;
            }

            await SendAsync(Chunk(new JsonObject(), FinishReason(result), null), ends);
            if (request.IncludeUsage)
            {
                var chunk = Chunk(null, null, null);
                chunk["usage"] = Usage(result);
                await SendAsync(chunk, ends);
            }

            await WriteAsync("data: [DONE]\n\n", ends);
        }
        catch (OperationCanceledException) when (tools.Turns.IsCut && !http.RequestAborted.IsCancellationRequested)
        {
            await SendErrorAsync("reply_interrupted", "the server is stopping and the reply broke off; please try again in a moment");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A stream that merely stops looks complete to clients; an error event does not.
            tools.Telemetry.Failed(Dialect.OpenAi, e);
            await SendErrorAsync("reply_interrupted", "the reply broke off; please try again");
        }
    }

    /// <summary>Sends the reply in one piece.</summary>
    public async Task WriteWholeAsync(IAsyncEnumerable<TurnEvent> events, CancellationToken ends)
    {
        var done = await WholeTurn.OfAsync(events, tools.Turns, http.RequestAborted, ends);
        var message = new JsonObject
        {
            ["role"] = "assistant",
            ["content"] = WholeTurn.Text(_turn, done),
            ["refusal"] = null,
        };
        if (done.Reasoning.Length > 0 && _turn.ShowsReasoning)
        {
            message["reasoning_content"] = done.Reasoning;
        }

        var body = new JsonObject
        {
            ["id"] = _id,
            ["object"] = "chat.completion",
            ["created"] = _created,
            ["model"] = _turn.Model,
            ["choices"] = new JsonArray(new JsonObject
            {
                ["index"] = 0,
                ["message"] = message,
                ["logprobs"] = IsModelsOwn(done) ? Likelihoods() : null,
                ["finish_reason"] = FinishReason(done),
            }),
            ["usage"] = Usage(done),
        };
        http.Response.ContentType = "application/json; charset=utf-8";
        await http.Response.WriteAsync(body.ToJsonString(ApiBoundary.Json), ends);
    }

    /// <summary>OpenAI's word for how a turn ended; a preset, a task's answer and an apology are whole replies.</summary>
    private static string FinishReason(TurnResult result) => result.FinishReason switch
    {
        "length" => "length",
        "guard" => "content_filter",
        _ => "stop",
    };

    private static bool IsModelsOwn(TurnResult result) => result.FinishReason is "stop" or "length";

    private static JsonObject Usage(TurnResult result) => new()
    {
        ["prompt_tokens"] = result.PromptTokens,
        ["completion_tokens"] = result.Timings.ReplyTokens,
        ["total_tokens"] = result.PromptTokens + result.Timings.ReplyTokens,
    };

    private async Task<TurnResult> SendEventsAsync(IAsyncEnumerable<TurnEvent> events, CancellationToken ends)
    {
        TurnResult? result = null;
        await foreach (var e in Heartbeat.Of(events, tools.Limits.FirstSign, tools.Limits.Heartbeat, tools.Telemetry.Time, ends))
        {
            switch (e)
            {
                case null:
                    await SendSignAsync(ends);
                    break;
                case TurnEvent.Completed completed:
                    result = completed.Result;
                    break;
                case TurnEvent.ReasoningDelta delta when _turn.ShowsReasoning:
                    await SendDeltaAsync(new JsonObject { ["reasoning_content"] = delta.Text }, null, ends);
                    break;
                case TurnEvent.ReplyDelta or TurnEvent.ReplyReplaced or TurnEvent.CrosstalkOffered when _turn.Format is null:
                    await SendWordsAsync(e, ends);
                    break;
            }
        }

        var done = result ?? throw new InvalidOperationException("the turn ended without a result.");
        if (_turn.Format is not null)
        {
            await EndStatusAsync(ends);
            await SendDeltaAsync(new JsonObject { ["content"] = WholeTurn.Text(_turn, done) }, null, ends);
        }

        return done;
    }

    private async Task SendWordsAsync(TurnEvent e, CancellationToken ends)
    {
        await EndStatusAsync(ends);
        var text = e switch
        {
            TurnEvent.ReplyDelta delta => delta.Text,

            // A stream cannot be taken back: set the new words apart from what was shown.
            TurnEvent.ReplyReplaced replaced => (_shownPieces > 0 ? "\n\n" : "") + replaced.Text,
            TurnEvent.CrosstalkOffered offered => CrosstalkFold.Render(offered.Piece),
            _ => "",
        };
        await SendDeltaAsync(new JsonObject { ["content"] = text }, e is TurnEvent.ReplyDelta ? Likelihoods() : null, ends);
        _shownPieces++;
    }

    private JsonObject? Likelihoods() => _turn.Likelihoods?.Take() is { } told ? new JsonObject { ["content"] = told, ["refusal"] = null } : null;

    /// <summary>First a status for the person, where the front end shows one; then comments that keep the connection open.</summary>
    private Task SendSignAsync(CancellationToken ends)
    {
        if (_hasStatus || !_turn.Valves.ShowsStatus || !_turn.Caller.IsOpenWebUi)
        {
            return WriteAsync(": ping\n\n", ends);
        }

        _hasStatus = true;
        return SendStatusAsync("正在想怎么回应你 · thinking about what you said", isDone: false, ends);
    }

    private Task EndStatusAsync(CancellationToken ends)
    {
        if (!_hasStatus || _shownPieces > 0)
        {
            return Task.CompletedTask;
        }

        return SendStatusAsync("", isDone: true, ends);
    }

    private Task SendStatusAsync(string description, bool isDone, CancellationToken ends)
    {
        // The empty list of choices is for clients that look for one in every event.
        var chunk = Chunk(null, null, null);
        chunk["event"] = new JsonObject { ["type"] = "status", ["data"] = new JsonObject { ["description"] = description, ["done"] = isDone, ["hidden"] = isDone } };
        return SendAsync(chunk, ends);
    }

    private Task SendErrorAsync(string code, string message) =>
        SendAsync(new JsonObject { ["error"] = ApiBoundary.Describe(new ApiException(500, code, message)), ["detail"] = message }, http.RequestAborted);

    private Task SendDeltaAsync(JsonObject delta, JsonObject? likelihoods, CancellationToken ends) => SendAsync(Chunk(delta, null, likelihoods), ends);

    private JsonObject Chunk(JsonObject? delta, string? finishReason, JsonObject? likelihoods) => new()
    {
        ["id"] = _id,
        ["object"] = "chat.completion.chunk",
        ["created"] = _created,
        ["model"] = _turn.Model,
        ["choices"] = delta is null
            ? []
            : new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["logprobs"] = likelihoods, ["finish_reason"] = finishReason }),
    };

    private Task SendAsync(JsonObject chunk, CancellationToken ends) => WriteAsync($"data: {chunk.ToJsonString(ApiBoundary.Json)}\n\n", ends);

    private async Task WriteAsync(string text, CancellationToken ends)
    {
        await http.Response.WriteAsync(text, ends);
        await http.Response.Body.FlushAsync(ends);
    }
}
