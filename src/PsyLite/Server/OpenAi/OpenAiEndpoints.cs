using PsyLite.Server.Pipelines;

namespace PsyLite.Server.OpenAi;

/// <summary><c>/v1/models</c>, <c>/v1/chat/completions</c> and <c>/v1/embeddings</c> in OpenAI's shapes; every completion runs the whole turn.</summary>
internal static class OpenAiEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/v1").WithMetadata(new ApiSurface(Dialect.OpenAi));
        api.MapGet("/models", (PipelineList pipelines) => Results.Json(pipelines.Models(), ApiBoundary.Json));
        api.MapGet("/models/{id}", (string id, PipelineList pipelines) => ServedModel.Is(id) ? Results.Json(pipelines.Model(), ApiBoundary.Json) : throw ApiException.UnknownModel(id));
        api.MapPost("/chat/completions", (HttpContext http, Completions completions) => completions.AnswerAsync(http, "openai", streamByDefault: false));
        api.MapPost("/embeddings", (HttpContext http, EmbeddingDesk desk) => EmbeddingEndpoint.AnswerAsync(http, desk));
    }
}

/// <summary>Answers chat completions, for OpenAI's clients and for Open WebUI's pipelines.</summary>
internal sealed class Completions(TurnDesk desk, ValveStore valves, WritingTools tools)
{
    public async Task AnswerAsync(HttpContext http, string surface, bool streamByDefault)
    {
        var body = await JsonBody.ReadObjectAsync(http);
        var caller = Caller.Of(http, body);
        var request = ChatCompletionRequest.Parse(body, caller, valves.Pipe, surface, streamByDefault);
        if (!ServedModel.Is(request.Turn.Model))
        {
            throw surface == "pipelines"
                ? new ApiException(404, "model_not_found", $"Pipeline {request.Turn.Model} not found", "model")
                : ApiException.UnknownModel(request.Turn.Model);
        }

        using var open = desk.Enter(request.Turn, http);
        var events = desk.RunAsync(request.Turn, open.Token);
        var writer = new CompletionWriter(http, request, tools);
        await (request.Stream ? writer.StreamAsync(events, open.Token) : writer.WriteWholeAsync(events, open.Token));
    }
}
