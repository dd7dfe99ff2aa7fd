using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Risk;
using PsyLite.Server.OpenAi;

namespace PsyLite.Server.Pipelines;

/// <summary>
/// What Open WebUI calls on a Pipelines server, bare and under <c>/v1</c>. Risk is judged in the completion; the inlet of the model
/// only carries names over that the completion would not get. No code can be uploaded.
/// </summary>
internal static class PipelinesEndpoints
{
    private static readonly string[] CarriedOver = ["task", "chat_id", "message_id"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/v1", ["GET", "HEAD"], () => Results.Json(new { status = true }));
        var bare = routes.MapGroup("").WithMetadata(new ApiSurface(Dialect.Pipelines));
        bare.MapGet("/models", (PipelineList pipelines) => Results.Json(pipelines.Models(), ApiBoundary.Json));
        bare.MapPost("/chat/completions", (HttpContext http, Completions completions) => completions.AnswerAsync(http, "pipelines", streamByDefault: true));
        foreach (var prefix in new[] { "", "/v1" })
        {
            var api = routes.MapGroup(prefix).WithMetadata(new ApiSurface(Dialect.Pipelines));
            api.MapGet("/pipelines", () => Results.Json(PipelineList.Pipelines(), ApiBoundary.Json));
            api.MapPost("/pipelines/add", RefuseCode);
            api.MapPost("/pipelines/upload", RefuseCode);
            api.MapDelete("/pipelines/delete", RefuseCode);
            api.MapPost("/pipelines/reload", () => Results.Json(new { message = "Pipelines reloaded successfully." }));
            api.MapGet("/{id}/valves", (string id, ValveStore valves) => Results.Json(Known(id, "Valves for {0} not found", valves.Values), ApiBoundary.Json));
            api.MapGet("/{id}/valves/spec", (string id) => Results.Json(Known(id, "Valves for {0} not found", ValveStore.Spec), ApiBoundary.Json));
            api.MapPost("/{id}/valves/update", UpdateAsync).WithMetadata(new OperatorsOnly());
            api.MapPost("/{id}/filter/inlet", InletAsync);
            api.MapPost("/{id}/filter/outlet", OutletAsync);
        }
    }

    private static IResult RefuseCode() =>
        throw new ApiException(403, "no_uploaded_code", "PsyLite runs no uploaded code: its pipeline is built in, and its valves are all there is to set");

    private static async Task<IResult> UpdateAsync(HttpContext http, string id, ValveStore valves)
    {
        var update = await JsonBody.ReadObjectAsync(http);
        return Results.Json(Known(id, "Valves for {0} not found", known => valves.Update(known, update)), ApiBoundary.Json);
    }

    private static async Task<IResult> InletAsync(HttpContext http, string id, TurnDesk desk, ValveStore valves, RiskAssessor assessor)
    {
        var known = PipelineList.Resolve(id) ?? throw NotFound("Filter {0} not found", id);
        var body = await BodyAsync(http);
        if (known == ValveStore.FilterId)
        {
            await StandBeforeAsync(http, body, desk, valves, assessor);
            return Same(body);
        }

        // Open WebUI strips the metadata before the completion; keys beside it survive.
        var carried = JsonObject.Create(body)!;
        if (JsonBody.Object(body, "metadata") is { } metadata)
        {
            foreach (var name in CarriedOver)
            {
                if (!body.TryGetProperty(name, out _) && JsonBody.Text(metadata, name) is { } value)
                {
                    carried[name] = value;
                }
            }
        }

        return Results.Json(carried, ApiBoundary.Json);
    }

    private static async Task<IResult> OutletAsync(HttpContext http, string id)
    {
        _ = PipelineList.Resolve(id) ?? throw NotFound("Filter {0} not found", id);
        return Same(await BodyAsync(http));
    }

    /// <summary>Before another model: a person in danger gets our words in its place, which Open WebUI shows from the refusal.</summary>
    private static async Task StandBeforeAsync(HttpContext http, JsonElement body, TurnDesk desk, ValveStore valves, RiskAssessor assessor)
    {
        var caller = Caller.Of(http, body);
        var messages = MessageList.ParseAny(body).Where(m => m.Role == ChatRole.User || m.Role == ChatRole.Assistant).ToList();
        var model = JsonBody.Text(body, "model") ?? "";
        var isOurs = PipelineList.Resolve(model) == ValveStore.PipeId;
        if (isOurs || caller.Task is not null || TaskResponder.IsTask(messages) || !messages.Exists(m => m.Role == ChatRole.User)
            || assessor.Assess(messages).Route != Route.Danger)
        {
            return;
        }

        var turn = new ServedTurn("guard", model, messages, new ChatOptions(), caller, valves.Pipe);
        using var open = desk.Enter(turn, http);
        await foreach (var e in desk.RunAsync(turn, open.Token))
        {
            if (e is TurnEvent.Completed completed)
            {
                throw new ApiException(500, "person_in_danger", completed.Result.Reply);
            }
        }
    }

    /// <summary>The <c>body</c> of a filter request; its <c>user</c> is not needed.</summary>
    private static async Task<JsonElement> BodyAsync(HttpContext http) =>
        JsonBody.Object(await JsonBody.ReadObjectAsync(http), "body") ?? throw ApiException.Invalid("body must be an object", "body");

    /// <summary>Back as it came, byte for byte.</summary>
    private static IResult Same(JsonElement body) => Results.Text(body.GetRawText(), "application/json; charset=utf-8");

    private static T Known<T>(string id, string words, Func<string, T?> find)
        where T : class =>
        (PipelineList.Resolve(id) is { } known ? find(known) : throw NotFound("Pipeline {0} not found", id)) ?? throw NotFound(words, id);

    private static ApiException NotFound(string words, string id) =>
        new(404, "not_found", string.Format(System.Globalization.CultureInfo.InvariantCulture, words, id));
}
