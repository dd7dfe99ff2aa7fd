using System.Globalization;
using System.Text.Json.Nodes;
using PsyLite.Agent;
using PsyLite.Server.OpenAi;

namespace PsyLite.Server.Ollama;

/// <summary>Writes one reply as Ollama does: a line of JSON for each piece and a last one with counts and nanoseconds, or all in one.</summary>
internal sealed class OllamaWriter(HttpContext http, OllamaRequest request, WritingTools tools)
{
    private const double NanosecondsPerMillisecond = 1e6;
    private int _shownPieces;

    /// <summary>The answer to a request that only loads the model or lets it go.</summary>
    public Task WriteLoadedAsync(CancellationToken ends)
    {
        var line = Line("", "");
        (line["done"], line["done_reason"]) = (true, request.IsUnload ? "unload" : "load");
        return WriteOneAsync(line, ends);
    }

    public async Task StreamAsync(ServedTurn turn, IAsyncEnumerable<TurnEvent> events, CancellationToken ends)
    {
        http.Response.ContentType = "application/x-ndjson";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        await http.Response.StartAsync(ends);
        try
        {
            var result = await SendEventsAsync(turn, events, ends);
            if (result.FinishReason == "error" && _shownPieces > 1)
            {
                await SendAsync(new JsonObject { ["error"] = "the model broke off in the middle of the reply; please try again" }, ends);
                return;
            }

            await SendAsync(Last(Line("", ""), result), ends);
        }
        catch (OperationCanceledException) when (tools.Turns.IsCut && !http.RequestAborted.IsCancellationRequested)
        {
            await SendAsync(new JsonObject { ["error"] = "the server is stopping and the reply broke off; please try again in a moment" }, http.RequestAborted);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            tools.Telemetry.Failed(Dialect.Ollama, e);
            await SendAsync(new JsonObject { ["error"] = "the reply broke off; please try again" }, http.RequestAborted);
        }
    }

    public async Task WriteWholeAsync(ServedTurn turn, IAsyncEnumerable<TurnEvent> events, CancellationToken ends)
    {
        var result = await WholeTurn.OfAsync(events, tools.Turns, http.RequestAborted, ends);
        var line = Line(WholeTurn.Text(turn, result), turn.ShowsReasoning ? result.Reasoning : "");
        if (result.FinishReason is "stop" or "length" && turn.Likelihoods?.Take() is { } likelihoods)
        {
            line["logprobs"] = likelihoods;
        }

        await WriteOneAsync(Last(line, result), ends);
    }

    private async Task<TurnResult> SendEventsAsync(ServedTurn turn, IAsyncEnumerable<TurnEvent> events, CancellationToken ends)
    {
        TurnResult? result = null;
        await foreach (var e in Heartbeat.Of(events, tools.Limits.Heartbeat, tools.Limits.Heartbeat, tools.Telemetry.Time, ends))
        {
            switch (e)
            {
                case null:
                    // A line of nothing keeps the connection open.
                    await SendAsync(Line("", ""), ends);
                    break;
                case TurnEvent.Completed completed:
                    result = completed.Result;
                    break;
                case TurnEvent.ReasoningDelta delta when turn.ShowsReasoning:
                    await SendAsync(Line("", delta.Text), ends);
                    break;
                case TurnEvent.ReplyDelta or TurnEvent.ReplyReplaced or TurnEvent.CrosstalkOffered when turn.Format is null:
                    await SendWordsAsync(turn, e, ends);
                    break;
            }
        }

        var done = result ?? throw new InvalidOperationException("the turn ended without a result.");
        if (turn.Format is not null)
        {
            await SendAsync(Line(WholeTurn.Text(turn, done), ""), ends);
        }

        return done;
    }

    private async Task SendWordsAsync(ServedTurn turn, TurnEvent e, CancellationToken ends)
    {
        var line = Line(
            e switch
            {
                TurnEvent.ReplyDelta delta => delta.Text,
                TurnEvent.ReplyReplaced replaced => (_shownPieces > 0 ? "\n\n" : "") + replaced.Text,
                TurnEvent.CrosstalkOffered offered => CrosstalkFold.Render(offered.Piece),
                _ => "",
            },
            "");
        if (e is TurnEvent.ReplyDelta && turn.Likelihoods?.Take() is { } likelihoods)
        {
            line["logprobs"] = likelihoods;
        }

        await SendAsync(line, ends);
        _shownPieces++;
    }

    private JsonObject Line(string words, string thinking)
    {
        var line = new JsonObject
        {
            ["model"] = request.Model,
            ["created_at"] = tools.Telemetry.Time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture),
        };
        var home = line;
        if (request.IsGenerate)
        {
            line["response"] = words;
        }
        else
        {
            line["message"] = home = new JsonObject { ["role"] = "assistant", ["content"] = words };
        }

        if (thinking.Length > 0)
        {
            home["thinking"] = thinking;
        }

        line["done"] = false;
        return line;
    }

    private JsonObject Last(JsonObject line, TurnResult result)
    {
        var times = result.Timings;
        line["done"] = true;
        line["done_reason"] = result.FinishReason == "length" ? "length" : "stop";
        if (request.IsGenerate)
        {
            // Ollama's own client hands this back as history; ours is in the messages of /api/chat.
            line["context"] = new JsonArray();
        }

        Add(line, "total_duration", (long)(times.TotalMs * NanosecondsPerMillisecond));
        Add(line, "prompt_eval_count", result.PromptTokens);
        Add(line, "prompt_eval_duration", (long)(times.FirstTokenMs * NanosecondsPerMillisecond));
        Add(line, "eval_count", times.ReplyTokens);
        Add(line, "eval_duration", times.FirstTokenMs > 0 ? (long)((times.TotalMs - times.FirstTokenMs) * NanosecondsPerMillisecond) : 0);
        return line;
    }

    /// <summary>Zero is left out, as Ollama does.</summary>
    private static void Add(JsonObject line, string name, long value)
    {
        if (value > 0)
        {
            line[name] = value;
        }
    }

    private async Task WriteOneAsync(JsonObject line, CancellationToken ends)
    {
        http.Response.ContentType = request.Stream ? "application/x-ndjson" : "application/json; charset=utf-8";
        await http.Response.WriteAsync(line.ToJsonString(ApiBoundary.Json), ends);
    }

    private async Task SendAsync(JsonObject line, CancellationToken ends)
    {
        await http.Response.WriteAsync(line.ToJsonString(ApiBoundary.Json) + "\n", ends);
        await http.Response.Body.FlushAsync(ends);
    }
}
