using System.Security.Cryptography.X509Certificates;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting.StaticWebAssets;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using PsyLite.Options;
using PsyLite.Server.Accounts;
using PsyLite.Server.Counsellors;
using PsyLite.Server.Observability;
using PsyLite.Server.Ollama;
using PsyLite.Server.OpenAi;
using PsyLite.Server.Owners;
using PsyLite.Server.Pipelines;
using PsyLite.Store.Conversations;
using PsyLite.Web;
using PsyLite.Web.Live;

namespace PsyLite.Server;

/// <summary>The web server: the page and the APIs over one composition.</summary>
internal static class PsyLiteServer
{
    /// <summary>Slower bodies than this, after a grace period, are cut off: 240 bytes a second for five seconds are Kestrel's own limits.</summary>
    private static readonly MinDataRate SlowestBody = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
    private static readonly TimeSpan RequestHeadersTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Over the grace of running turns, so that they end by themselves or are told why they are cut.</summary>
    private static readonly TimeSpan ShutdownMargin = TimeSpan.FromSeconds(10);

    /// <summary>Open pages; each holds a connection and some memory.</summary>
    private const int MostPages = 2_000;

    /// <summary>How long a page outlives a broken connection, with what was not sent yet. Conversations do not depend on it.</summary>
    private static readonly TimeSpan DisconnectedRetention = TimeSpan.FromMinutes(3);

    /// <param name="signIn">Accounts; null where the person at this machine is the only one.</param>
    public static WebApplication Build(Composition parts, ServerLimits? limits = null, SignInParts? signIn = null)
    {
        limits ??= new ServerLimits();
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
            kestrel.Limits.MaxRequestBodySize = JsonBody.MaxBytes;
            kestrel.Limits.MinRequestBodyDataRate = SlowestBody;
            kestrel.Limits.RequestHeadersTimeout = RequestHeadersTimeout;
            kestrel.Limits.KeepAliveTimeout = KeepAliveTimeout;
            kestrel.Limits.MaxConcurrentUpgradedConnections = MostPages;
            if (parts.Options.Certificate is { } certificate)
            {
                kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = X509Certificate2.CreateFromPemFile(certificate, parts.Options.CertificateKey));
            }
        });

        // A build output has no wwwroot of its own: its assets stay where they were built, and this reads the list of them.
        StaticWebAssetsLoader.UseStaticWebAssets(builder.Environment, builder.Configuration);
        AddLogging(builder.Logging, parts.Options);
        AddParts(builder.Services, parts, signIn);
        AddApis(builder.Services, parts, limits);

        var app = builder.Build();
        ContainFaults(app);
        AccountSetup.UseProxies(app, parts.Options.Proxies);
        RequestBoundary.Use(app, parts.Options.KnownHosts);
        if (signIn is not null)
        {
            app.UseAuthentication();
        }

        ApiBoundary.Use(app, parts.Options.ApiKey, app.Services.GetRequiredService<Telemetry>());
        if (signIn is not null)
        {
            app.UseAuthorization();
        }

        app.UseAntiforgery();
        AnswerProbes(app);

        // Both listen from their making on.
        _ = app.Services.GetRequiredService<PrometheusExporter>();
        _ = app.Services.GetRequiredService<TraceExport>();
        HealthEndpoints.Map(app, signIn is not null);
        OpenAiEndpoints.Map(app);
        OllamaEndpoints.Map(app);
        PipelinesEndpoints.Map(app);
        PersonEndpoints.Map(app);
        if (parts.Store is not null)
        {
            // What a counsellor writes appears on the person's open page.
            app.Services.GetRequiredService<ConversationNews>().Listen(app.Services.GetRequiredService<LiveConversations>().RefreshAsync);
            OwnerEndpoints.Map(app);
            if (signIn is not null || parts.Options.Console)
            {
                ConsoleEndpoints.Map(app, signIn is not null);
            }
        }

        if (signIn is not null)
        {
            AccountEndpoints.Map(app);
        }

        app.MapStaticAssets().AllowAnonymous();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(options => options.ContentSecurityFrameAncestorsPolicy = null);
        return app;
    }

    /// <summary>
    /// The last boundary of every path that has none of its own: a fault is logged by its kind, never with its message, which may quote what was
    /// said, and the caller gets no word of it.
    /// </summary>
    private static void ContainFaults(WebApplication app)
    {
        var logger = app.Services.GetRequiredService<ILogger<Telemetry>>();
        app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (Exception fault) when (fault is not Microsoft.AspNetCore.Http.BadHttpRequestException && !context.RequestAborted.IsCancellationRequested)
            {
                TurnLog.Failed(logger, "page", fault.GetType().Name);
                if (context.Response.HasStarted)
                {
                    context.Abort();
                    return;
                }

                context.Response.Clear();
                RequestBoundary.AddHeaders(context.Response.Headers);
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            }
        });
    }

    /// <summary>At the same address people get the page, and clients that look for a server get a sign of one.</summary>
    private static void AnswerProbes(WebApplication app) => app.Use((context, next) =>
        context.Request.Path == "/" && !context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
            && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
                ? context.Response.WriteAsJsonAsync(new { status = true })
                : next(context));

    private static void AddLogging(ILoggingBuilder logging, AppOptions options)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);

        // Standard output belongs to commands; the log goes beside it.
        if (options.JsonLog)
        {
            logging.AddJsonConsole(console => (console.UseUtcTimestamp, console.TimestampFormat) = (true, "O"));
        }
        else
        {
            logging.AddSimpleConsole(console => console.SingleLine = true);
        }

        logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static void AddParts(IServiceCollection services, Composition parts, SignInParts? signIn)
    {
        services.AddSingleton(parts.Time);
        services.AddSingleton(parts.Model);
        services.AddSingleton(parts.Library);
        services.AddSingleton(parts.Pipeline);
        services.AddSingleton(parts.Assessor);
        services.AddSingleton(parts.HelpLines);
        AddPage(services, parts);

        // Chinese stays readable in the page's source.
        services.AddSingleton(HtmlEncoder.Create(UnicodeRanges.All));

        if (parts.Store is { } store)
        {
            services.AddSingleton(store);
            services.AddSingleton<ConversationNews>();
            services.AddSingleton(provider => new CounsellorDesk(
                store, provider.GetRequiredService<ConversationNews>(), parts.Time, signIn?.Book, provider.GetService<IOptions<IdentityOptions>>()));
        }

        // Without accounts the keys end with the process: pages do not outlive it either, and nothing is written to the disk.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddAntiforgery(forms =>
        {
            forms.SuppressXFrameOptionsHeader = true;
            forms.Cookie.SameSite = SameSiteMode.Strict;
            forms.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        if (signIn is not null)
        {
            AccountSetup.AddTo(services, signIn);
        }

        services.AddRazorComponents().AddInteractiveServerComponents(circuit => circuit.DisconnectedCircuitRetentionPeriod = DisconnectedRetention);
        services.AddRouting();
    }

    /// <summary>What the page needs; a composition without a store keeps everything in memory.</summary>
    private static void AddPage(IServiceCollection services, Composition parts)
    {
        var passing = parts.Store?.Temporary ?? StoreSource.Of(new MemoryConversationStore(parts.Time));
        services.AddSingleton(new PersonRecords(parts.Store?.Lasting ?? passing, passing, parts.Time, (action, rule) => parts.Store?.Note(action, rule)));
        services.AddSingleton(provider => new TurnRoom(
            parts.Turns, parts.Library, provider.GetRequiredService<Telemetry>(), provider.GetRequiredService<OpenTurns>(), provider.GetRequiredService<ILogger<LiveConversation>>()));
        services.AddSingleton<LiveConversations>();
        services.AddSingleton<UsageClock>();
    }

    private static void AddApis(IServiceCollection services, Composition parts, ServerLimits limits)
    {
        services.Configure<HostOptions>(host => host.ShutdownTimeout = limits.Grace + ShutdownMargin);
        services.AddSingleton(parts.Options);
        services.AddSingleton(limits);
        services.AddSingleton<OpenTurns>();
        services.AddHostedService(provider => provider.GetRequiredService<OpenTurns>());
        services.AddSingleton<Telemetry>();
        services.AddSingleton(_ => new TraceExport(parts.Options.Traces));
        services.AddSingleton(provider =>
        {
            var telemetry = provider.GetRequiredService<Telemetry>();
            ProcessMetrics.Add(telemetry.Meter, provider.GetRequiredService<OpenTurns>(), parts.Model);
            return new PrometheusExporter(telemetry.Meter);
        });
        services.AddSingleton(provider => new TurnGate(parts.Assessor, provider.GetRequiredService<OpenTurns>(), parts.Options.MaxTurns, parts.Options.RequestsPerMinute));
        services.AddSingleton(new ConversationReplay(parts.Library));
        services.AddSingleton<ConversationFloors>();
        services.AddSingleton<RetriedTurns>();
        if (parts.Store is { } store)
        {
            services.AddSingleton(new RecordedDesk(parts.Turns, store));
        }

        services.AddSingleton<TurnDesk>();
        services.AddSingleton<WritingTools>();
        services.AddSingleton<Completions>();
        services.AddSingleton(provider => new ValveStore(parts.Options.Valves, provider.GetRequiredService<ILogger<ValveStore>>()));
        services.AddSingleton<PipelineList>();
        services.AddSingleton(provider => new EmbeddingDesk(parts.Embedder.Generator, provider.GetRequiredService<TurnGate>()));
        services.AddSingleton(_ => ModelCard.Of(parts.Options));
        services.AddSingleton<OllamaModels>();
        services.AddSingleton<OllamaReplies>();
        services.AddSingleton<OllamaPull>();
    }
}
