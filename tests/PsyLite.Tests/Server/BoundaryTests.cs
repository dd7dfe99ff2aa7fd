using System.Net;
using System.Text.Json;

namespace PsyLite.Tests.Server;

public sealed class BoundaryTests
{
    [Fact]
    public async Task Other_pages_and_foreign_names_are_turned_away()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"));
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(server, r => r.Headers.Add("Origin", "https://elsewhere.example")));
        Assert.Equal(HttpStatusCode.BadRequest, await SendAsync(server, r => r.Headers.Host = "rebound.example"));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(server, r => r.Headers.Add("Origin", server.Address)));
    }

    [Fact]
    public async Task The_page_says_what_it_is_and_loads_only_its_own_files()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Accept", "text/html" } } };
        using var response = await server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("script-src 'self'", response.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        var html = WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync());
        Assert.Contains("我是电脑程序，不是真人", html);
        foreach (var number in new[] { "12356", "110", "120" })
        {
            Assert.Contains($"tel:{number}", html);
        }

        // A help line may have an address to tap; nothing is fetched from elsewhere.
        Assert.DoesNotMatch("<(?!a )[^>]*https?://(?!www\\.w3\\.org)", html);
    }

    [Fact]
    public async Task Readiness_waits_for_the_model()
    {
        var gate = new TaskCompletionSource<LoadedModel>();
        await using var server = await RunningServer.StartAsync(() => gate.Task);
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/healthz")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Http.GetAsync("/readyz")).StatusCode);
        gate.SetResult(new LoadedModel(ScriptedChatClient.Saying("好"), null, "scripted"));
        await server.Parts.Model.Settled;
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/readyz")).StatusCode);
    }

    [Fact]
    public async Task Without_a_model_readiness_says_why_and_danger_is_still_answered()
    {
        await using var server = await RunningServer.StartAsync(() => Task.FromException<LoadedModel>(new FileNotFoundException("there is no model file x.gguf")), waitForModel: true);
        using var response = await server.Http.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Contains("x.gguf", body.GetProperty("detail").GetString());
        Assert.Contains("12356", await server.AskAsync("我不想活了，药已经买好了"));
        Assert.False(string.IsNullOrWhiteSpace(await server.AskAsync("今天有点累")));
    }

    private static async Task<HttpStatusCode> SendAsync(RunningServer server, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        change(request);
        using var response = await server.Http.SendAsync(request);
        return response.StatusCode;
    }
}
