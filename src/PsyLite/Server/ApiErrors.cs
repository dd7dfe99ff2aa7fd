using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PsyLite.Server;

/// <summary>
/// The boundary of the API paths: checks the key and turns exceptions into bodies that carry both <c>error</c> (OpenAI's SDKs) and
/// <c>detail</c> (Open WebUI). The text of an unexpected exception never leaves the process.
/// </summary>
internal static class ApiErrors
{
    /// <summary>Chinese stays readable on the wire.</summary>
    public static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Use(WebApplication app, string? apiKey) => app.UseWhen(
        context => context.Request.Path.StartsWithSegments("/v1"),
        branch => branch.Use((context, next) => GuardAsync(context, next, apiKey, app.Logger)));

    private static async Task GuardAsync(HttpContext context, RequestDelegate next, string? apiKey, ILogger logger)
    {
        try
        {
            CheckKey(context.Request, apiKey);
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: 404 or 405 } && context.GetEndpoint() is null)
            {
                await WriteAsync(context, context.Response.StatusCode, "not_found", "there is no such API path", null);
            }
        }
        catch (ApiException e)
        {
            await WriteAsync(context, e.Status, e.Code, e.Message, e.Parameter);
        }
        catch (BadHttpRequestException e)
        {
            await WriteAsync(context, e.StatusCode, "invalid_request_error", "the request body could not be read", null);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (Exception e)
        {
            logger.LogError("API request failed: {Kind} at {Path}", e.GetType().Name, context.Request.Path);
            await WriteAsync(context, 500, "server_error", "something went wrong here; please try again", null);
        }
    }

    private static void CheckKey(HttpRequest request, string? apiKey)
    {
        if (apiKey is null)
        {
            return;
        }

        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            throw new ApiException(401, "invalid_api_key", "an API key is needed: Authorization: Bearer <key>");
        }

        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(header[7..].Trim()), Encoding.UTF8.GetBytes(apiKey)))
        {
            throw new ApiException(401, "invalid_api_key", "Invalid API key");
        }
    }

    public static async Task WriteAsync(HttpContext context, int status, string code, string message, string? parameter)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        var body = new JsonObject
        {
            ["error"] = new JsonObject { ["message"] = message, ["type"] = status >= 500 ? "server_error" : "invalid_request_error", ["param"] = parameter, ["code"] = code },
            ["detail"] = message,
        };
        await context.Response.WriteAsync(body.ToJsonString(Json));
    }
}
