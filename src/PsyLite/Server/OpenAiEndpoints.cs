using System.Text.Json;
using PsyLite.Agent;

namespace PsyLite.Server;

/// <summary><c>/v1/models</c> and <c>/v1/chat/completions</c> in OpenAI's shapes; every completion runs the whole turn.</summary>
internal static class OpenAiEndpoints
{
    /// <summary>The turn over the configured model.</summary>
    public const string ModelId = "psylite";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", (TimeProvider time) => Results.Json(new { @object = "list", data = new[] { Describe(time) } }));
        routes.MapGet("/v1/models/{id}", (string id, TimeProvider time) => id == ModelId ? Results.Json(Describe(time)) : throw UnknownModel(id));
        routes.MapPost("/v1/chat/completions", CompleteAsync);
    }

    private static object Describe(TimeProvider time) => new { id = ModelId, @object = "model", created = time.GetUtcNow().ToUnixTimeSeconds(), owned_by = "psylite" };

    private static async Task CompleteAsync(HttpContext http, TurnPipeline pipeline, ConversationReplay replay, TimeProvider time, ILogger<TurnPipeline> logger)
    {
        var request = ChatCompletionRequest.Parse(await ReadBodyAsync(http), streamByDefault: false);
        if (request.Model is not (ModelId or ModelId + ":latest"))
        {
            throw UnknownModel(request.Model);
        }

        var events = pipeline.RunAsync(replay.Rebuild(request), http.RequestAborted);
        var writer = new CompletionWriter(http.Response, request, time.GetUtcNow().ToUnixTimeSeconds());
        var result = request.Stream
            ? await writer.StreamAsync(events, http.RequestAborted)
            : await writer.WriteWholeAsync(events, http.RequestAborted);
        TurnLog.Finished(logger, "api", result);
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
