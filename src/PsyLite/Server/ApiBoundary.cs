using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PsyLite.Server.Accounts;
using PsyLite.Server.Observability;
using PsyLite.Store.Accounts;

namespace PsyLite.Server;

/// <summary>
/// The boundary of the API paths: checks the key and turns exceptions into one line in the caller's dialect. For OpenAI's SDKs and Open WebUI
/// a body carries both <c>error</c> and <c>detail</c>; Ollama's clients want <c>error</c> as a text. The words of an unexpected exception
/// never leave the process.
/// </summary>
internal static class ApiBoundary
{
    /// <summary>Chinese stays readable on the wire.</summary>
    public static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Use(WebApplication app, string? apiKey, Telemetry telemetry) => app.Use((context, next) =>
        ApiSurface.Of(context) is { } surface ? GuardAsync(context, next, surface.Dialect, apiKey, telemetry) : next(context));

    /// <summary>Answers with an error in this dialect.</summary>
    public static async Task WriteAsync(HttpContext context, Dialect dialect, ApiException error)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return;
        }

        response.Clear();
        RequestBoundary.AddHeaders(response.Headers);
        response.StatusCode = error.Status;
        response.ContentType = "application/json; charset=utf-8";
        if (error.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        await response.WriteAsync(Body(dialect, error).ToJsonString(Json));
    }

    private static JsonObject Body(Dialect dialect, ApiException error) => dialect == Dialect.Ollama
        ? new JsonObject { ["error"] = error.Message }
        : new JsonObject { ["error"] = Describe(error), ["detail"] = error.Message };

    /// <summary>OpenAI's error object, for a body or for an event in a stream.</summary>
    public static JsonObject Describe(ApiException error) => new()
    {
        ["message"] = error.Message,
        ["type"] = error.Status switch
        {
            401 or 403 => "authentication_error",
            429 => "rate_limit_error",
            >= 500 => "server_error",
            _ => "invalid_request_error",
        },
        ["param"] = error.Parameter,
        ["code"] = error.Code,
    };

    private static async Task GuardAsync(HttpContext context, RequestDelegate next, Dialect dialect, string? apiKey, Telemetry telemetry)
    {
        var started = telemetry.Time.GetTimestamp();
        context.Response.OnStarting(() =>
        {
            context.Response.Headers["X-Process-Time"] = ((int)telemetry.Time.GetElapsedTime(started).TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        });
        try
        {
            await AdmitAsync(context, dialect, apiKey);
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: 404 or 405 } && context.GetEndpoint()?.Metadata.GetMetadata<ApiSurface>() is null)
            {
                await RefuseAsync(context, dialect, telemetry, new ApiException(context.Response.StatusCode, "not_found", "there is no such API path"));
            }
        }
        catch (ApiException e)
        {
            await RefuseAsync(context, dialect, telemetry, e);
        }
        catch (BadHttpRequestException e)
        {
            await RefuseAsync(context, dialect, telemetry, new ApiException(e.StatusCode, "invalid_request_error", e.StatusCode switch
            {
                413 => $"the body is larger than {JsonBody.MaxBytes >> 20} MiB",
                408 => "the body came too slowly",
                _ => "the request body could not be read",
            }));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (Exception e)
        {
            telemetry.Failed(dialect, e);
            await WriteAsync(context, dialect, new ApiException(500, "server_error", "something went wrong here; please try again"));
        }
    }

    private static Task RefuseAsync(HttpContext context, Dialect dialect, Telemetry telemetry, ApiException error)
    {
        telemetry.Refused(dialect, error);
        return WriteAsync(context, dialect, error);
    }

    /// <summary>
    /// Without accounts the one key of the server opens, where it is set; with accounts a key of theirs does, and on some paths the session of
    /// a page. From here on the request is its account's.
    /// </summary>
    private static async Task AdmitAsync(HttpContext context, Dialect dialect, string? apiKey)
    {
        var accounts = context.RequestServices.GetService<AccountBook>();
        if (apiKey is null && accounts is null)
        {
            return;
        }

        var endpoint = context.GetEndpoint()?.Metadata;
        var header = context.Request.Headers.Authorization.ToString();
        var given = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : null;
        if (given is null && accounts is not null && endpoint?.GetMetadata<TakesSession>() is not null && context.User.Identity is { IsAuthenticated: true })
        {
            return;
        }

        if (given is null)
        {
            // Open WebUI expects of Pipelines what FastAPI says there.
            throw dialect == Dialect.Pipelines
                ? new ApiException(403, "invalid_api_key", "Not authenticated")
                : new ApiException(401, "invalid_api_key", "an API key is needed: Authorization: Bearer <key>");
        }

        var isServers = apiKey is not null && IsSame(given, apiKey);
        var account = isServers || accounts is null ? null : await accounts.FindByKeyAsync(given, context.RequestAborted);
        if (!isServers && account is null)
        {
            throw new ApiException(401, "invalid_api_key", "Invalid API key");
        }

        if (accounts is not null)
        {
            context.User = account is null ? AccountSetup.Service : AccountSetup.PrincipalOf(account);
        }

        if (account is { Role: not AccountRole.Admin } && endpoint?.GetMetadata<OperatorsOnly>() is not null)
        {
            throw new ApiException(403, "admins_only", "this changes the server for everybody and needs the key of an admin");
        }
    }

    /// <summary>Hashes are of one length, so that the comparison does not tell that of the key.</summary>
    private static bool IsSame(string given, string key) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
