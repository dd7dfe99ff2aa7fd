using PsyLite.Agent.Humour;
using PsyLite.Server.Observability;

namespace PsyLite.Server;

/// <summary>
/// <c>/healthz</c>: the process answers. <c>/readyz</c>: turns can be answered by the model; else what is missing. <c>/metrics</c>: counts
/// and times for Prometheus.
/// </summary>
internal static class HealthEndpoints
{
    /// <param name="hasAccounts">Then the server is reached from elsewhere: strangers learn whether it is ready and nothing more.</param>
    public static void Map(IEndpointRouteBuilder routes, bool hasAccounts)
    {
        routes.MapGet("/healthz", () => Results.Json(new { status = "ok" })).AllowAnonymous();
        routes.MapGet("/readyz", (LocalModel model, CrosstalkLibrary library, OpenTurns turns, HttpContext http) =>
            Readiness(model, library, turns, isOpen: !hasAccounts || http.User.IsInRole(nameof(Store.Accounts.AccountRole.Admin)))).AllowAnonymous();
        var metrics = routes.MapGet("/metrics", (PrometheusExporter exporter) => Results.Text(exporter.Write(), "text/plain; version=0.0.4; charset=utf-8"));
        if (hasAccounts)
        {
            metrics.WithMetadata(new ApiSurface(Dialect.OpenAi), new OperatorsOnly());
        }
    }

    private static IResult Readiness(LocalModel model, CrosstalkLibrary library, OpenTurns turns, bool isOpen) => model.Status switch
    {
        _ when turns.IsStopping => Unready("stopping", "the server is stopping", []),
        ModelStatus.Ready when !isOpen => Results.Json(new { status = "ready" }),
        ModelStatus.Ready => Results.Json(new { status = "ready", model = model.Description, crosstalk = library.Pieces.Count }),
        ModelStatus.Failed => Unready("unavailable", isOpen ? model.Problem : null, ["model"]),
        _ => Unready("starting", "the model is loading", ["model"]),
    };

    private static IResult Unready(string status, string? detail, string[] missing) => Results.Json(new { status, missing, detail }, statusCode: 503);
}
