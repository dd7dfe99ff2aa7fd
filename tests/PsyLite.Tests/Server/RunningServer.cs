using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Options;
using PsyLite.Server;
using PsyLite.Server.Accounts;
using PsyLite.Store;
using PsyLite.Store.Accounts;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Server;

/// <summary>What a test wants to be different about its server.</summary>
internal sealed record ServerSetup
{
    public string? ApiKey { get; init; }

    public LabelLikelihoods? Labels { get; init; }

    public Func<AppOptions, AppOptions> Options { get; init; } = o => o;

    public ServerLimits? Limits { get; init; }

    public IEmbeddingGenerator<string, Embedding<float>>? Embedder { get; init; }

    /// <summary>Conversations and the audit are kept in a file of the test's own.</summary>
    public bool HasStore { get; init; }

    /// <summary>People sign in; needs the store.</summary>
    public bool HasAccounts { get; init; }

    /// <summary>Where the store's file lies; null is a folder that goes away with the server.</summary>
    public string? Store { get; init; }
}

/// <summary>The real server on a free port, over a chat client of the test's choosing.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly Composition _parts;
    private readonly WebApplication _app;
    private readonly TemporaryFolder _files;
    private readonly StoreHost? _store;

    private RunningServer(Composition parts, WebApplication app, TemporaryFolder files, StoreHost? store, AccountBook? accounts)
    {
        (_parts, _app, _files, _store, Book) = (parts, app, files, store, accounts);
        Http = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri(app.Urls.First()) };
    }

    /// <summary>The accounts of a server that has them.</summary>
    public AccountBook? Book { get; }

    public StoreHost Store => _store!;

    public IServiceProvider Services => _app.Services;

    public HttpClient Http { get; }

    public string Address => Http.BaseAddress!.ToString().TrimEnd('/');

    public Composition Parts => _parts;

    public IReadOnlyList<Endpoint> Endpoints => _app.Services.GetRequiredService<EndpointDataSource>().Endpoints;

    public IReadOnlyList<AuditRecord> Audit => ((AuditTrail)_parts.Audit).Records;

    public static Task<RunningServer> StartAsync(IChatClient model, string? apiKey = null, LabelLikelihoods? labels = null) =>
        StartAsync(model, new ServerSetup { ApiKey = apiKey, Labels = labels });

    public static Task<RunningServer> StartAsync(IChatClient model, ServerSetup setup) =>
        StartAsync(() => Task.FromResult(new LoadedModel(model, setup.Labels ?? Calm, "scripted")), setup, waitForModel: true);

    /// <summary>With a model of the test's own, or null for the one that comes with the program.</summary>
    public static async Task<RunningServer> StartAsync(Func<Task<LoadedModel>>? load, ServerSetup? setup = null, bool waitForModel = false)
    {
        setup ??= new ServerSetup();
        var files = new TemporaryFolder();
        var options = setup.Options(new AppOptions
        {
            Urls = "http://127.0.0.1:0",
            ApiKey = setup.ApiKey,
            Crosstalk = Path.Combine(ReferenceGraphTests.Root, "corpora", "crosstalk"),
            Valves = files["valves.json"],
            Models = files["models"],
            Store = setup.Store ?? files["psylite.db"],
            Accounts = setup.HasAccounts,
        });
        var store = setup.HasStore || setup.HasAccounts ? new StoreHost(options, TimeProvider.System, _ => { }) : null;
        var parts = Composition.Create(options, load: load, embedder: setup.Embedder, store: store);
        var signIn = setup.HasAccounts ? new SignInParts(await store!.AccountsAsync(), new SealedSessions(await store.SessionsKeyAsync(default))) : null;
        var app = PsyLiteServer.Build(parts, setup.Limits, signIn);
        await app.StartAsync();
        parts.Model.Start();
        if (waitForModel)
        {
            await parts.Model.Settled;
        }

        return new RunningServer(parts, app, files, store, signIn?.Book);
    }

    public async Task<(int Status, JsonElement Body)> ChatAsync(object body)
    {
        using var response = await Http.PostAsJsonAsync("/v1/chat/completions", body);
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>Any request, with its JSON answer.</summary>
    public async Task<(int Status, JsonElement Body)> SendAsync(HttpMethod method, string path, object? body = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = key is null ? null : new("Bearer", key);
        using var response = await Http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>The whole reply to one message of a user without history.</summary>
    public async Task<string> AskAsync(string text)
    {
        var (status, body) = await ChatAsync(new { model = "psylite", messages = new[] { new { role = "user", content = text } } });
        Assert.Equal(200, status);
        return body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }

    /// <summary>The data lines of a streamed reply.</summary>
    public async Task<IReadOnlyList<string>> StreamAsync(object body, string path = "/v1/chat/completions")
    {
        using var response = await Http.PostAsJsonAsync(path, body);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync();
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(e => e.StartsWith("data: ", StringComparison.Ordinal)).Select(e => e["data: ".Length..])];
    }

    /// <summary>Begins to stop, as a signal to the process does.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _parts.Dispose();
        await (_store?.DisposeAsync() ?? ValueTask.CompletedTask);
        SqliteConnection.ClearAllPools();
        _files.Dispose();
    }

    private static ValueTask<IReadOnlyList<double>> Calm(IReadOnlyList<ChatMessage> conversation, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<double>>([.. labels.Select(l => l == "平稳" ? -0.01 : -6)]);
}
