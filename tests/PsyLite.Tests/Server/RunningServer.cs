using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Options;
using PsyLite.Server;

namespace PsyLite.Tests.Server;

/// <summary>The real server on a free port, over a chat client of the test's choosing.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly Composition _parts;
    private readonly WebApplication _app;

    private RunningServer(Composition parts, WebApplication app)
    {
        _parts = parts;
        _app = app;
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Http { get; }

    public string Address => Http.BaseAddress!.ToString().TrimEnd('/');

    public Composition Parts => _parts;

    public static async Task<RunningServer> StartAsync(IChatClient model, string? apiKey = null, LabelLikelihoods? labels = null) =>
        await StartAsync(() => Task.FromResult(new LoadedModel(model, labels ?? Calm, "scripted")), apiKey, waitForModel: true);

    public static async Task<RunningServer> StartAsync(Func<Task<LoadedModel>> load, string? apiKey = null, bool waitForModel = false)
    {
        var options = new AppOptions
        {
            Urls = "http://127.0.0.1:0",
            ApiKey = apiKey,
            Crosstalk = Path.Combine(ReferenceGraphTests.Root, "corpora", "crosstalk"),
        };
        var parts = Composition.Create(options, load: load);
        var app = PsyLiteServer.Build(parts);
        await app.StartAsync();
        parts.Model.Start();
        if (waitForModel)
        {
            await parts.Model.Settled;
        }

        return new RunningServer(parts, app);
    }

    public async Task<(int Status, JsonElement Body)> ChatAsync(object body)
    {
        using var response = await Http.PostAsJsonAsync("/v1/chat/completions", body);
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
    public async Task<IReadOnlyList<string>> StreamAsync(object body)
    {
        using var response = await Http.PostAsJsonAsync("/v1/chat/completions", body);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync();
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(e => e["data: ".Length..])];
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _parts.Dispose();
    }

    private static ValueTask<IReadOnlyList<double>> Calm(IReadOnlyList<ChatMessage> conversation, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<double>>([.. labels.Select(l => l == "平稳" ? -0.01 : -6)]);
}
