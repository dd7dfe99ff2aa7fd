using System.Text.Json;
using PsyLite.Tests.Server.Accounts;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Server.Owners;

/// <summary>Conversations over the APIs that are recorded: each belongs to its owner, a turn that is sent again counts once.</summary>
public sealed class OwnerTests
{
    private const string Danger = "我不想活了，药已经买好了";

    private static object Turn(string conversation, string text, string? turn = null) =>
        new { model = "psylite", conversation_id = conversation, turn_id = turn, messages = new[] { new { role = "user", content = text } } };

    [Fact]
    public async Task A_named_conversation_is_recorded_and_goes_on_from_its_record()
    {
        var model = ScriptedChatClient.Saying("嗯，我在听。");
        await using var server = await RunningServer.StartAsync(model, new ServerSetup { HasStore = true });
        await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Turn("diary", "最近总睡不好"));
        await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Turn("diary", "工作也很烦"));
        Assert.Contains("最近总睡不好", string.Concat(model.LastMessages.Select(m => m.Text)));
        var (_, listed) = await server.SendAsync(HttpMethod.Get, "/me/conversations");
        Assert.Equal("最近总睡不好", Assert.Single(listed.GetProperty("conversations").EnumerateArray()).GetProperty("title").GetString());
        var (_, opened) = await server.SendAsync(HttpMethod.Get, "/me/conversations/diary");
        Assert.Equal(["最近总睡不好", "嗯，我在听。", "工作也很烦", "嗯，我在听。"], opened.GetProperty("messages").EnumerateArray().Select(m => m.GetProperty("text").GetString()));

        // Without a name nothing is kept.
        await server.AskAsync("随便说说");
        Assert.Single((await server.SendAsync(HttpMethod.Get, "/me/conversations")).Body.GetProperty("conversations").EnumerateArray());
        Assert.Equal(1, (await server.SendAsync(HttpMethod.Delete, "/me/conversations/diary")).Body.GetProperty("erased").GetInt32());
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, "/me/conversations/diary")).Status);
    }

    [Fact]
    public async Task Everything_is_exported_and_erased_by_its_owner()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), new ServerSetup { HasStore = true });
        await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Turn("a", "<script>alert(1)</script>你好"));
        var page = await server.Http.GetStringAsync("/me/export?format=html");
        Assert.Contains("你好", page);
        Assert.DoesNotContain("<script>alert", page);
        Assert.Contains("alert(1)", await server.Http.GetStringAsync("/me/export"));
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Delete, "/me")).Status);
        Assert.Equal(1, (await server.SendAsync(HttpMethod.Delete, "/me?confirm=everything")).Body.GetProperty("erased").GetInt32());
        Assert.DoesNotContain("alert(1)", await server.Http.GetStringAsync("/me/export"));
    }

    [Fact]
    public async Task Nobody_reaches_a_conversation_of_somebody_else()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), new ServerSetup { HasAccounts = true });
        var (mine, theirs) = (await Visitor.KeyAsync(server, "wang"), await Visitor.KeyAsync(server, "li", PsyLite.Store.Accounts.AccountRole.Admin));
        await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Turn("diary", "我家养了一只三花猫"), mine);
        var id = (await server.SendAsync(HttpMethod.Get, "/me/conversations", key: mine)).Body.GetProperty("conversations")[0].GetProperty("id").GetString()!;
        foreach (var name in new[] { id, "diary", $"../{id}", $"%2e%2e%2f{id}", "' OR '1'='1", "*" })
        {
            var path = "/me/conversations/" + Uri.EscapeDataString(name);
            Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, path, key: theirs)).Status);
            Assert.Equal(404, (await server.SendAsync(HttpMethod.Delete, path, key: theirs)).Status);
        }

        // The same name is another conversation; claiming to be somebody else reaches nobody.
        await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Turn("diary", "我家养了一条狗"), theirs);
        await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Turn(id, "我家有两盆花"), theirs);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/me/export") { Headers = { { "X-OpenWebUI-User-Id", "wang" }, { "Authorization", $"Bearer {theirs}" } } };
        Assert.DoesNotContain("我家养了一只三花猫", await (await server.Http.SendAsync(request)).Content.ReadAsStringAsync());
        var own = (await server.SendAsync(HttpMethod.Get, "/me/conversations/diary", key: mine)).Body.GetProperty("messages");
        Assert.Equal(["我家养了一只三花猫", "嗯。"], own.EnumerateArray().Select(m => m.GetProperty("text").GetString()));
    }

    [Fact]
    public async Task A_front_end_s_people_are_kept_apart()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), new ServerSetup { HasStore = true });
        await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", new { model = "psylite", user = "u1", conversation_id = "c", messages = new[] { new { role = "user", content = "第一个人" } } });
        await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", new { model = "psylite", user = "u2", conversation_id = "c", messages = new[] { new { role = "user", content = "第二个人" } } });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/me/conversations/c") { Headers = { { "X-OpenWebUI-User-Id", "u1" } } };
        var text = await (await server.Http.SendAsync(request)).Content.ReadAsStringAsync();
        Assert.Contains("第一个人", JsonDocument.Parse(text).RootElement.ToString());
        Assert.DoesNotContain("第二个人", JsonDocument.Parse(text).RootElement.ToString());
    }

    [Fact]
    public async Task Replayed_turns_are_one_event_of_risk_even_across_a_restart()
    {
        using var folder = new TemporaryFolder();
        var setup = new ServerSetup { HasStore = true, Store = folder["psylite.db"] };
        var replies = new List<string>();
        for (var run = 0; run < 2; run++)
        {
            await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), setup);
            for (var i = 0; i < 3; i++)
            {
                var (status, body) = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Turn("night", Danger, "turn-1"));
                Assert.Equal(200, status);
                replies.Add(body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!);
            }

            Assert.Single(await server.Store.TicketsAsync(default));
        }

        Assert.Single(replies.Distinct());
        var store = await Stores.SqliteAsync(folder["psylite.db"], TimeProvider.System);
        var summary = Assert.Single(await store.ListAsync("local", 0, 10, default));
        var stored = (await store.OpenAsync("local", summary.Id, default))!;
        Assert.Equal((1, 2), (stored.State.Episodes, stored.Messages.Count));
        Assert.Equal(1, stored.State.Turns);
    }

    [Fact]
    public async Task A_retry_without_a_name_is_known_by_its_words()
    {
        await using var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), new ServerSetup { HasStore = true });
        for (var attempt = 0; attempt < 3; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = System.Net.Http.Json.JsonContent.Create(Turn("night", Danger)) };
            request.Headers.Add("X-Stainless-Retry-Count", $"{attempt}");
            Assert.True((await server.Http.SendAsync(request)).IsSuccessStatusCode);
        }

        Assert.Equal(2, (await server.SendAsync(HttpMethod.Get, "/me/conversations/night")).Body.GetProperty("messages").GetArrayLength());
    }

    [Fact]
    public async Task What_a_client_leaves_out_is_not_forgotten()
    {
        using var folder = new TemporaryFolder();
        var setup = new ServerSetup { HasStore = true, Store = folder["psylite.db"] };
        await using (var server = await RunningServer.StartAsync(ScriptedChatClient.Saying("嗯。"), setup))
        {
            await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", Turn("night", Danger));
        }

        // Another run of the server and a history without a trace of it: the danger is still in force.
        await using var next = await RunningServer.StartAsync(ScriptedChatClient.Saying("哈哈，讲个段子。"), setup);
        var (_, body) = await next.SendAsync(HttpMethod.Post, "/v1/chat/completions", Turn("night", "嗯"));
        Assert.DoesNotContain("段子", body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        var ticket = Assert.Single(await next.Store.TicketsAsync(default));
        Assert.StartsWith("api-", ticket.ConversationId);
    }
}
