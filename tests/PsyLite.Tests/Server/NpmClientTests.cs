using System.Diagnostics;
using System.Text.Json;

namespace PsyLite.Tests.Server;

/// <summary>The npm package openai against the real server, as an application would use it.</summary>
public sealed class NpmClientTests
{
    [Fact]
    public async Task The_openai_client_streams_a_reply_and_understands_the_errors()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("<think>压力和睡眠</think>", "听起来你最近很累。", "睡不着的时候，", "脑子里还在转工作的事吗？", "愿意多说一点吗？"));
        var start = new ProcessStartInfo("node", [Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Server/openai-client.mjs"), server.Address])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var node = Process.Start(start)!;
        var errors = node.StandardError.ReadToEndAsync();
        var output = await node.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(2));
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode == 0, await errors);
        var seen = JsonDocument.Parse(output).RootElement;
        Assert.Equal("psylite", seen.GetProperty("models")[0].GetString());
        Assert.Equal("听起来你最近很累。睡不着的时候，脑子里还在转工作的事吗？愿意多说一点吗？", seen.GetProperty("reply").GetString());
        Assert.Equal("压力和睡眠", seen.GetProperty("reasoning").GetString());
        Assert.True(seen.GetProperty("pieces").GetInt32() >= 2);
        Assert.True(seen.GetProperty("usage").GetProperty("total_tokens").GetInt32() > 0);
        Assert.Equal("听起来你最近很累。睡不着的时候，脑子里还在转工作的事吗？愿意多说一点吗？", seen.GetProperty("final").GetString());
        Assert.Contains("12356", seen.GetProperty("crisis").GetString());
        Assert.StartsWith("404 model_not_found", seen.GetProperty("errors")[0].GetString());
        Assert.StartsWith("400", seen.GetProperty("errors")[1].GetString());
    }
}
