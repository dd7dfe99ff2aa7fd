using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;
using PsyLite.Engine.Remote;
using PsyLite.Tests.Agent;
using PsyLite.Tests.Engine.Remote;

namespace PsyLite.Tests.Server.Conformance;

/// <summary>Check 44: engines elsewhere.</summary>
public sealed class EngineConformanceTests
{
    private static readonly RiskAssessor Assessor = new();

    [Fact]
    public async Task Check_44_Ollama_vLLM_and_llama_server_give_identical_events_of_a_turn()
    {
        var ollama = await TurnOverAsync("ollama", RemoteProtocol.Ollama, warmUps: 0);
        Assert.Contains($"thought {FakeEngine.Thought}", ollama);
        Assert.Contains($"said {FakeEngine.Reply}", ollama);
        Assert.Equal(ollama, await TurnOverAsync("vllm", RemoteProtocol.OpenAi, warmUps: 0));

        // llama-server answers 503 until its model is there, and pings while it reads.
        Assert.Equal(ollama, await TurnOverAsync("llama-server", RemoteProtocol.OpenAi, warmUps: 1));
    }

    /// <summary>The turn's events in order, with neighbouring pieces joined.</summary>
    private static async Task<IReadOnlyList<string>> TurnOverAsync(string dialect, RemoteProtocol protocol, int warmUps)
    {
        await using var engine = await ServeAsync(dialect, warmUps);
        var options = new RemoteOptions { Protocol = protocol, Endpoints = [new Uri(engine.Urls.First())], FirstToken = TimeSpan.FromSeconds(20), Idle = TimeSpan.FromSeconds(20) };
        await using var client = new RemoteChatClient(options);
        await client.Ready;
        var pipeline = new TurnPipeline(client, null, Assessor, CrosstalkLibrary.Empty);
        var (thought, said) = (new StringBuilder(), new StringBuilder());
        var end = "";
        await foreach (var e in pipeline.RunAsync(new TurnRequest(Turns.Say("周末去公园走了走"), new ConversationState())))
        {
            thought.Append((e as TurnEvent.ReasoningDelta)?.Text);
            said.Append((e as TurnEvent.ReplyDelta)?.Text);
            end = e is TurnEvent.Completed { Result: var result } ? $"{result.FinishReason} {result.Timings.ReplyTokens} {result.Assessment.Tier}" : end;
        }

        return [$"thought {thought}", $"said {said}", end];
    }

    private static Task<WebApplication> ServeAsync(string dialect, int warmUps) => LoopbackApp.StartAsync(async http =>
    {
        if (http.Request.Path.Value is "/v1/models" or "/api/tags")
        {
            await http.Response.WriteAsync(http.Request.Path == "/v1/models" ? """{"data":[{"id":"served"}]}""" : """{"models":[{"name":"served:latest","model":"served:latest"}]}""");
            return;
        }

        if (Interlocked.Decrement(ref warmUps) >= 0)
        {
            http.Response.StatusCode = 503;
            http.Response.Headers.RetryAfter = "0";
            await http.Response.WriteAsync("""{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}""");
            return;
        }

        foreach (var line in FakeEngine.Events(dialect))
        {
            await http.Response.WriteAsync(line);
            await http.Response.Body.FlushAsync();
        }
    });
}
