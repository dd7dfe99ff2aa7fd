using PsyLite.Agent.Crisis;

namespace PsyLite.Tests.Server;

/// <summary>How a conversation is recognised, and what is remembered of it.</summary>
public sealed class ConversationFloorTests
{
    private const string Danger = "我不想活了，药已经买好了";
    private const string Calm = "周末去公园走了走";

    private static object Ask(string text, string? chat, string user = "u1") => new { model = "psylite", user, chat_id = chat, messages = new[] { new { role = "user", content = text } } };

    private static async Task<bool> ReachesModelAsync(RunningServer server, ScriptedChatClient model, object body)
    {
        var before = model.Calls;
        Assert.Equal(200, (await server.ChatAsync(body)).Status);
        return model.Calls > before;
    }

    [Fact]
    public async Task Danger_outlives_a_message_that_was_deleted_where_the_conversation_has_a_name()
    {
        var model = ScriptedChatClient.Saying("好的。");
        await using var server = await RunningServer.StartAsync(model);
        Assert.False(await ReachesModelAsync(server, model, Ask(Danger, "c1")));
        Assert.False(await ReachesModelAsync(server, model, Ask(Calm, "c1")));
        Assert.True(await ReachesModelAsync(server, model, Ask(Calm, "c2")));
        Assert.True(await ReachesModelAsync(server, model, Ask(Calm, "c1", user: "u2")));
        Assert.True(await ReachesModelAsync(server, model, Ask(Calm, null)));
    }

    [Fact]
    public async Task A_crisis_reply_that_is_asked_for_again_names_the_help_line_again()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好的。"));
        for (var i = 0; i < 3; i++)
        {
            var (_, body) = await server.ChatAsync(Ask(Danger, "c1"));
            Assert.Contains("12356", body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        }

        Assert.Equal(1, server.Audit.Count(r => r.Action == AuditAction.TicketRaised));
    }

    [Fact]
    public async Task The_header_and_the_metadata_name_a_conversation_too()
    {
        var model = ScriptedChatClient.Saying("好的。");
        await using var server = await RunningServer.StartAsync(model);
        server.Http.DefaultRequestHeaders.Add("X-OpenWebUI-User-Id", "u1");
        Assert.False(await ReachesModelAsync(server, model, Ask(Danger, "c1")));
        Assert.False(await ReachesModelAsync(server, model, new { model = "psylite", metadata = new { chat_id = "c1" }, messages = new[] { new { role = "user", content = Calm } } }));
        server.Http.DefaultRequestHeaders.Add("X-OpenWebUI-Chat-Id", "c1");
        Assert.False(await ReachesModelAsync(server, model, Ask(Calm, null)));
    }

    [Fact]
    public async Task A_repeated_answer_is_the_same_and_counts_once_only_when_the_client_says_that_it_repeats()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("好的。"));
        var first = await server.AskAsync(Danger);
        var events = server.Audit.Count;
        _ = await server.AskAsync(Danger);
        Assert.True(server.Audit.Count > events, "another person may say the same words");
        events = server.Audit.Count;
        server.Http.DefaultRequestHeaders.Add("X-Stainless-Retry-Count", "1");
        Assert.Contains("12356", await server.AskAsync(Danger));
        Assert.Equal(events, server.Audit.Count);
        Assert.NotEmpty(first);
    }
}
