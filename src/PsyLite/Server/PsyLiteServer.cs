using System.Text.Encodings.Web;
using System.Text.Unicode;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting.StaticWebAssets;
using PsyLite.Web;

namespace PsyLite.Server;

/// <summary>The web server: the page and the APIs over one composition.</summary>
internal static class PsyLiteServer
{
    private const int MaxBodyBytes = 1 << 20;
    private static readonly TimeSpan RequestHeadersTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromMinutes(2);

    /// <summary>How long a conversation outlives a broken connection; a closed page ends it at once.</summary>
    private static readonly TimeSpan DisconnectedRetention = TimeSpan.FromMinutes(3);

    public static WebApplication Build(Composition parts)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(PsyLiteServer).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.WebHost.UseUrls(parts.Options.Urls);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Limits.RequestHeadersTimeout = RequestHeadersTimeout;
            kestrel.Limits.KeepAliveTimeout = KeepAliveTimeout;
        });

        // A build output has no wwwroot of its own: its assets stay where they were built, and this reads the list of them.
        StaticWebAssetsLoader.UseStaticWebAssets(builder.Environment, builder.Configuration);
        AddLogging(builder.Logging);
        AddParts(builder.Services, parts);

        var app = builder.Build();
        RequestBoundary.Use(app, parts.Options.Hosts);
        ApiErrors.Use(app, parts.Options.ApiKey);
        app.UseAntiforgery();
        HealthEndpoints.Map(app);
        OpenAiEndpoints.Map(app);
        app.MapStaticAssets();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(options => options.ContentSecurityFrameAncestorsPolicy = null);
        return app;
    }

    private static void AddLogging(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);

        // Standard output belongs to commands; the log goes beside it.
        logging.AddSimpleConsole(console => console.SingleLine = true);
        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static void AddParts(IServiceCollection services, Composition parts)
    {
        services.AddSingleton(parts.Time);
        services.AddSingleton(parts.Model);
        services.AddSingleton(parts.Library);
        services.AddSingleton(parts.Pipeline);
        services.AddSingleton(parts.HelpLines);
        services.AddSingleton(new ConversationReplay(parts.Library));

        // Chinese stays readable in the page's source.
        services.AddSingleton(HtmlEncoder.Create(UnicodeRanges.All));

        // Keys that end with the process: pages do not outlive it either, and nothing is written to the disk.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddRazorComponents().AddInteractiveServerComponents(circuit => circuit.DisconnectedCircuitRetentionPeriod = DisconnectedRetention);
        services.AddRouting();
    }
}
