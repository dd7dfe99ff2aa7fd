namespace PsyLite.Server;

/// <summary><c>/healthz</c>: the process answers. <c>/readyz</c>: turns can be answered by the model; else what is missing.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", () => Results.Json(new { status = "ok" }));
        routes.MapGet("/readyz", (LocalModel model, Agent.Humour.CrosstalkLibrary library) => model.Status switch
        {
            ModelStatus.Ready => Results.Json(new { status = "ready", model = model.Description, crosstalk = library.Pieces.Count }),
            ModelStatus.Failed => Results.Json(new { status = "unavailable", missing = new[] { "model" }, detail = model.Problem }, statusCode: 503),
            _ => Results.Json(new { status = "starting", missing = new[] { "model" }, detail = "the model is loading" }, statusCode: 503),
        });
    }
}
