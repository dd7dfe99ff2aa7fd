using System.Diagnostics;
using System.Text.Json;

namespace PsyLite.Tests.Server.Conformance;

/// <summary>The real npm clients against the real server, as applications use them.</summary>
internal static class NpmClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static Task<JsonElement> OpenAiAsync(RunningServer server, string scenario, params string[] more) => RunAsync("openai.mjs", server, scenario, more);

    public static Task<JsonElement> OllamaAsync(RunningServer server, string scenario, params string[] more) => RunAsync("ollama.mjs", server, scenario, more);

    private static async Task<JsonElement> RunAsync(string script, RunningServer server, string scenario, string[] more)
    {
        var path = Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Server/Conformance", script);
        using var node = Process.Start(new ProcessStartInfo("node", [path, server.Address, scenario, .. more]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = node.StandardError.ReadToEndAsync();
        var output = await node.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await node.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(node.ExitCode == 0, await errors);
        return JsonDocument.Parse(output).RootElement;
    }
}
