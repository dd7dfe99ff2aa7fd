using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PsyLite.Options;
using PsyLite.Server;

namespace PsyLite.Tests.Server;

/// <summary>docs/api.md says what is there.</summary>
public sealed partial class ApiDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(ReferenceGraphTests.Root, "docs", "api.md"));

    [Fact]
    public async Task The_table_of_routes_is_that_of_the_server()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好"), new ServerSetup { HasStore = true });
        var served = server.Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<ApiSurface>() is not null || e.RoutePattern.RawText is "/v1" or "/healthz" or "/readyz" or "/metrics")
            .SelectMany(e => e.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Where(m => m != "HEAD").Select(m => $"{m} /{e.RoutePattern.RawText!.Trim('/')}"))
            .ToHashSet();
        var written = Row().Matches(Document).Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value}").ToList();
        Assert.Equal(34, written.Count);
        foreach (var row in written)
        {
            Assert.Contains(row, served);
            served.Remove(row);
            served.Remove(row.Replace(" /", " /v1/", StringComparison.Ordinal));
        }

        Assert.Empty(served);
    }

    [Fact]
    public void The_settings_of_the_table_have_their_defaults()
    {
        var defaults = new AppOptions();
        Assert.Contains($"`PSYLITE_MAX_TURNS` ({defaults.MaxTurns})", Document);
        Assert.Contains($"`PSYLITE_REQUESTS_PER_MINUTE` ({defaults.RequestsPerMinute})", Document);
        Assert.Contains($"{JsonBody.MaxBytes >> 20} MiB a body", Document);
        Assert.Equal((2_000, 32_000), (MessageList.MaxMessages, MessageList.MaxMessageLength));
    }

    [GeneratedRegex(@"^\| (GET|POST|DELETE) \| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
