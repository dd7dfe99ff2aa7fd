using PsyLite.Agent.Humour;
using PsyLite.Server.Observability;

namespace PsyLite.Server;

/// <summary>
/// <c>/healthz</c>: the process answers. <c>/readyz</c>: turns can be answered by the model; else what is missing. <c>/metrics</c>: counts
/// and times for Prometheus.
/// </summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", () => Results.Json(new { status = "ok" }));
        routes.MapGet("/readyz", Readiness);
        routes.MapGet("/metrics", (PrometheusExporter exporter) => Results.Text(exporter.Write(), "text/plain; version=0.0.4; charset=utf-8"));
    }

    private static IResult Readiness(LocalModel model, CrosstalkLibrary library, OpenTurns turns) => model.Status switch
    {
        _ when turns.IsStopping => Unready("stopping", "the server is stopping", []),
        ModelStatus.Ready => Results.Json(new { status = "ready", model = model.Description, crosstalk = library.Pieces.Count }),
        ModelStatus.Failed => Unready("unavailable", model.Problem, ["model"]),
        _ => Unready("starting", "the model is loading", ["model"]),
    };

    private static IResult Unready(string status, string? detail, string[] missing) => Results.Json(new { status, missing, detail }, statusCode: 503);
}
