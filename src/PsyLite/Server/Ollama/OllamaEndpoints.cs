using System.Globalization;
using System.Text.Json.Nodes;
using PsyLite.Server.OpenAi;
using PsyLite.Server.Pipelines;

namespace PsyLite.Server.Ollama;

/// <summary>Ollama's API over the turn: what its clients need to list, converse and embed. Models are made and removed by commands only.</summary>
internal static class OllamaEndpoints
{
    /// <summary>Version of Ollama whose shapes these are: some clients read nothing but digits and dots.</summary>
    private const string Version = "0.12.0";

    private static readonly string[] GetOrHead = ["GET", "HEAD"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithMetadata(new ApiSurface(Dialect.Ollama));
        api.MapMethods("/version", GetOrHead, () => Results.Json(new { version = Version }));
        api.MapMethods("/tags", GetOrHead, (OllamaModels models) => Json(models.Tags()));
        api.MapGet("/ps", (OllamaModels models) => Json(models.Running()));
        api.MapPost("/show", async (HttpContext http, OllamaModels models) =>
        {
            _ = OllamaRequest.ModelOf(await JsonBody.ReadObjectAsync(http));
            return Json(models.Show());
        });
        api.MapPost("/chat", (HttpContext http, OllamaReplies replies) => replies.AnswerAsync(http, OllamaRequest.OfChat));
        api.MapPost("/generate", (HttpContext http, OllamaReplies replies) => replies.AnswerAsync(http, OllamaRequest.OfGenerate));
        api.MapPost("/embed", EmbedAsync);
        api.MapPost("/embeddings", EmbedOneAsync);
        api.MapPost("/pull", (HttpContext http, OllamaPull pull) => pull.AnswerAsync(http)).WithMetadata(new OperatorsOnly());
    }

    private static IResult Json(JsonNode body) => Results.Json(body, ApiBoundary.Json);

    private static async Task<IResult> EmbedAsync(HttpContext http, EmbeddingDesk desk, TimeProvider time)
    {
        var started = time.GetTimestamp();
        var body = await JsonBody.ReadObjectAsync(http);
        var model = JsonBody.Text(body, "model") ?? throw ApiException.Invalid("model is required", "model");
        var embedded = await desk.EmbedAsync(model, EmbeddingDesk.Texts(body, "input"), JsonBody.Whole(body, "dimensions", 1), Caller.Of(http, body).User, http.RequestAborted);
        return Json(new JsonObject
        {
            ["model"] = model,
            ["embeddings"] = new JsonArray([.. embedded.Vectors.Select(Numbers)]),
            ["total_duration"] = (long)time.GetElapsedTime(started).TotalNanoseconds,
            ["prompt_eval_count"] = embedded.Tokens,
        });
    }

    /// <summary>The older way, one text at a time.</summary>
    private static async Task<IResult> EmbedOneAsync(HttpContext http, EmbeddingDesk desk)
    {
        var body = await JsonBody.ReadObjectAsync(http);
        var model = JsonBody.Text(body, "model") ?? throw ApiException.Invalid("model is required", "model");
        var embedded = await desk.EmbedAsync(model, EmbeddingDesk.Texts(body, "prompt"), null, Caller.Of(http, body).User, http.RequestAborted);
        return Json(new JsonObject { ["embedding"] = Numbers(embedded.Vectors[0]) });
    }

    private static JsonNode Numbers(float[] vector) => new JsonArray([.. vector.Select(v => (JsonNode)v)]);
}

/// <summary>Answers chat and generate requests.</summary>
internal sealed class OllamaReplies(TurnDesk desk, ValveStore valves, WritingTools tools)
{
    public async Task AnswerAsync(HttpContext http, Func<System.Text.Json.JsonElement, Caller, PipeValves, OllamaRequest> parse)
    {
        var body = await JsonBody.ReadObjectAsync(http);
        var request = parse(body, Caller.Of(http, body), valves.Pipe);
        var writer = new OllamaWriter(http, request, tools);
        if (request.Turn is not { } turn)
        {
            await writer.WriteLoadedAsync(http.RequestAborted);
            return;
        }

        using var open = desk.Enter(turn, http);
        var events = desk.RunAsync(turn, open.Token);
        await (request.Stream ? writer.StreamAsync(turn, events, open.Token) : writer.WriteWholeAsync(turn, events, open.Token));
    }
}

/// <summary>The one model, as Ollama lists it.</summary>
internal sealed class OllamaModels(ModelCard card, LocalModel model, ValveStore valves, EmbeddingDesk embeddings, TimeProvider time)
{
    public JsonObject Tags()
    {
        var entry = Entry();
        entry["modified_at"] = Text(card.ModifiedAt);
        entry["capabilities"] = Capabilities();
        return new JsonObject { ["models"] = new JsonArray(entry) };
    }

    public JsonObject Running()
    {
        var entry = Entry();
        entry["expires_at"] = Text(time.GetUtcNow().AddYears(1));
        entry["size_vram"] = 0;
        entry["context_length"] = card.Context;
        return new JsonObject { ["models"] = model.Status == ModelStatus.Ready ? new JsonArray(entry) : [] };
    }

    public JsonObject Show() => new()
    {
        ["license"] = card.Licence,
        ["modelfile"] = $"FROM {ServedModel.Tagged}\n",
        ["parameters"] = "",
        ["template"] = "{{ .Prompt }}",
        ["details"] = card.Details(),
        ["model_info"] = new JsonObject
        {
            ["general.architecture"] = card.Family,
            ["general.parameter_count"] = card.Parameters,
            [$"{card.Family}.context_length"] = card.Context,
        },
        ["capabilities"] = Capabilities(),
        ["modified_at"] = Text(card.ModifiedAt),
    };

    private JsonArray Capabilities()
    {
        var capabilities = new JsonArray("completion");
        if (valves.Pipe.ShowsReasoning)
        {
            capabilities.Add("thinking");
        }

        if (embeddings.IsThere)
        {
            capabilities.Add("embedding");
        }

        return capabilities;
    }

    private JsonObject Entry() => new()
    {
        ["name"] = ServedModel.Tagged,
        ["model"] = ServedModel.Tagged,
        ["size"] = card.Bytes,
        ["digest"] = card.Digest,
        ["details"] = card.Details(),
    };

    private static string Text(DateTimeOffset at) => at.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
