using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PsyLite.Server.Observability;

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
            CheckKey(context.Request, dialect, apiKey);
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

    private static void CheckKey(HttpRequest request, Dialect dialect, string? apiKey)
    {
        if (apiKey is null)
        {
            return;
        }

        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            // Open WebUI expects of Pipelines what FastAPI says there.
            throw dialect == Dialect.Pipelines
                ? new ApiException(403, "invalid_api_key", "Not authenticated")
                : new ApiException(401, "invalid_api_key", "an API key is needed: Authorization: Bearer <key>");
        }

        // Hashes are of one length, so that the comparison does not tell that of the key.
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(header[7..].Trim()));
        if (!CryptographicOperations.FixedTimeEquals(given, SHA256.HashData(Encoding.UTF8.GetBytes(apiKey))))
        {
            throw new ApiException(401, "invalid_api_key", "Invalid API key");
        }
    }
}
