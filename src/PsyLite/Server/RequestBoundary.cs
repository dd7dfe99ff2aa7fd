using System.Net;

namespace PsyLite.Server;

/// <summary>
/// Keeps other web pages out of a server that listens on this machine: a browser tells which page a request came from, and which
/// name it used to get here. Adds the headers that keep the page's own content to itself.
/// </summary>
internal static class RequestBoundary
{
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
        "manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static void Use(WebApplication app, IReadOnlyList<string> hosts) => app.Use(async (context, next) =>
    {
        AddHeaders(context.Response.Headers);
        if (!IsKnown(context.Request.Host.Host, hosts))
        {
            await RefuseAsync(context, new ApiException(400, "unknown_host", "this server is not known by that name; set PSYLITE_HOSTS for a proxy"));
            return;
        }

        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length > 0 && !IsOwn(origin, context.Request.Host))
        {
            await RefuseAsync(context, new ApiException(403, "foreign_origin", "requests from other web pages are not served"));
            return;
        }

        // A form of another page reaches us without a script; the browser says so.
        if (context.Request.Headers["Sec-Fetch-Site"] == "cross-site" && !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            await RefuseAsync(context, new ApiException(403, "foreign_origin", "requests from other web pages are not served"));
            return;
        }

        if (context.Request.IsHttps)
        {
            context.Response.Headers.StrictTransportSecurity = "max-age=31536000";
        }

        await next(context);
    });

    private static Task RefuseAsync(HttpContext context, ApiException error) =>
        ApiBoundary.WriteAsync(context, ApiSurface.Of(context)?.Dialect ?? Dialect.OpenAi, error);

    public static void AddHeaders(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        // Under no-referrer a browser would hide from our own forms where they come from.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), browsing-topics=()";
    }

    /// <summary>A foreign name that resolves to this machine is how DNS rebinding gets in.</summary>
    private static bool IsKnown(string host, IReadOnlyList<string> hosts) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address))
        || hosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    private static bool IsOwn(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && uri.Host.Trim('[', ']').Equals(host.Host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase)
        && (host.Port is null || host.Port == uri.Port);
}
