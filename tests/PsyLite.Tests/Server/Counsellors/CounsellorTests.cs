using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using PsyLite.Agent.Risk;
using PsyLite.Server.Accounts;
using PsyLite.Server.Counsellors;
using PsyLite.Store.Accounts;
using PsyLite.Store.Conversations;
using PsyLite.Tests.Server.Accounts;

namespace PsyLite.Tests.Server.Counsellors;

/// <summary>Who answers a call for a person, what they may see, and what is left of it in the records.</summary>
public sealed class CounsellorTests
{
    private static readonly ServerSetup Setup = new() { HasAccounts = true };

    [Fact]
    public async Task A_call_is_taken_over_answered_and_closed()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), Setup);
        var (key, wang, li) = (await Visitor.KeyAsync(server, "person"), await CounsellorAsync(server, "wang"), await CounsellorAsync(server, "li"));
        var desk = server.Services.GetRequiredService<CounsellorDesk>();
        Assert.Empty(await desk.QueueAsync(wang, default));
        await SayAsync(server, key, "我不想活了，药已经买好了");
        var call = Assert.Single(await desk.QueueAsync(wang, default));
        Assert.Equal((Tier.T3, null, true), (call.Tier, call.Counsellor, call.IsKept));

        // Nobody reads what they have not taken over.
        Assert.Null(await desk.OpenAsync(wang, call.ConversationId, true, default));
        Assert.True(await desk.ClaimAsync(wang, call.ConversationId, default));
        Assert.False(await desk.ClaimAsync(li, call.ConversationId, default));
        Assert.Null(await desk.OpenAsync(li, call.ConversationId, true, default));
        Assert.False(await desk.ReplyAsync(li, call.ConversationId, "我来", default));
        Assert.Equal("wang", Assert.Single(await desk.QueueAsync(li, default)).Counsellor);
        var lines = (await desk.OpenAsync(wang, call.ConversationId, true, default))!;
        Assert.Contains(lines, l => l.IsPerson && l.Text.Contains("药已经买好了"));

        var told = new List<string>();
        using var ear = server.Services.GetRequiredService<ConversationNews>().Listen(id =>
        {
            told.Add(id);
            return Task.CompletedTask;
        });
        Assert.True(await desk.ReplyAsync(wang, call.ConversationId, "我是咨询员小王，现在在你身边的是谁？", default));
        Assert.Equal([call.ConversationId], told);
        var (_, seen) = await server.SendAsync(HttpMethod.Get, "/me/conversations/night", key: key);
        Assert.Contains(seen.GetProperty("messages").EnumerateArray(), m => m.GetProperty("author").GetString() == "counsellor");

        // The conversation goes on under the same care until a person lifts it.
        await SayAsync(server, key, "嗯");
        Assert.Single(await desk.QueueAsync(wang, default));
        Assert.True(await desk.CloseAsync(wang, call.ConversationId, default));
        Assert.Empty(await desk.QueueAsync(wang, default));
        Assert.Null(await desk.OpenAsync(wang, call.ConversationId, true, default));
        Assert.Contains("嗯。", await SayAsync(server, key, "今天吃了碗面"));
        await server.Store.FlushAsync();
        var (actions, tiers) = await desk.FiguresAsync(wang, default);
        Assert.Equal((1, 1), (actions.Single(a => a.Name == "TicketRaised").Week, actions.Single(a => a.Name == "TicketCleared").Month));
        Assert.True(tiers.Single(t => t.Name == "T3").Month >= 1);
    }

    [Fact]
    public async Task A_call_from_a_conversation_that_is_not_kept_is_shown_and_cannot_be_opened()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), new ServerSetup { HasStore = true, Options = o => o with { Console = true } });
        var desk = server.Services.GetRequiredService<CounsellorDesk>();
        await server.AskAsync("我不想活了，药已经买好了");
        var call = Assert.Single(await desk.QueueAsync(new ClaimsPrincipal(), default));
        Assert.False(call.IsKept);
        Assert.False(await desk.ClaimAsync(new ClaimsPrincipal(), call.ConversationId, default));
    }

    [Fact]
    public async Task Whoever_is_let_go_is_out_with_the_next_step()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), Setup);
        var desk = server.Services.GetRequiredService<CounsellorDesk>();
        var wang = await CounsellorAsync(server, "wang");
        await desk.QueueAsync(wang, default);
        var account = (await server.Book!.FindByNameAsync("wang", default))!;
        account.IsDisabled = true;
        await server.Book.ChangeAsync(account, default);
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => desk.QueueAsync(wang, default));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(async () => await desk.QueueAsync(AccountSetup.PrincipalOf(await Visitor.AddAsync(server, "client")), default));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => desk.FiguresAsync(new ClaimsPrincipal(), default));
    }

    [Theory]
    [InlineData(false, 404)]
    [InlineData(true, 200)]
    public async Task Without_accounts_the_console_is_there_only_where_it_was_asked_for(bool isAskedFor, int status)
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), new ServerSetup { HasStore = true, Options = o => o with { Console = isAskedFor } });
        using var response = await server.Http.GetAsync("/console");
        Assert.Equal(status, (int)response.StatusCode);
    }

    private static async Task<string> SayAsync(RunningServer server, string key, string text)
    {
        var (status, body) = await server.SendAsync(
            HttpMethod.Post, "/v1/chat/completions", new { model = "psylite", conversation_id = "night", messages = new[] { new { role = "user", content = text } } }, key);
        Assert.Equal(200, status);
        return body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }

    private static async Task<ClaimsPrincipal> CounsellorAsync(RunningServer server, string name)
    {
        var account = await Visitor.AddAsync(server, name, AccountRole.Counsellor);
        return new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, account.Id), new Claim("AspNet.Identity.SecurityStamp", account.Stamp)], "test"));
    }
}
