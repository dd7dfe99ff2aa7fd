using Microsoft.Extensions.AI;
using PsyLite.Store.Conversations;
using PsyLite.Tests.Agent;
using PsyLite.Tests.Server;
using PsyLite.Web.Live;

namespace PsyLite.Tests.Web;

public sealed class LiveConversationTests
{
    private const string Danger = "我不想活了，药已经买好了";

    [Fact]
    public async Task Turns_go_to_the_model_as_one_conversation_without_reasoning()
    {
        var model = ScriptedChatClient.Saying("<think>草稿</think>", "我在听。");
        using var page = new LivePage(model);
        var conversation = page.Start();
        await LivePage.SayAsync(conversation, "今天有点累");
        await LivePage.SayAsync(conversation, "加班到很晚");
        Assert.Equal(["今天有点累", "我在听。", "加班到很晚"], model.LastMessages.Where(m => m.Role != ChatRole.System).Select(m => m.Text));
        Assert.All(conversation.Exchanges, e => Assert.Equal((ExchangeStage.Done, "草稿", "我在听。"), (e.Stage, e.Reasoning.Trim(), e.Reply.Trim())));
        Assert.Contains("psylite_turns_total{surface=\"page\"", page.Exporter.Write());
    }

    [Fact]
    public async Task A_stopped_reply_keeps_what_was_said_and_the_next_turn_works()
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("慢慢说，", 1000)) { Pause = TimeSpan.FromMilliseconds(5) };
        using var page = new LivePage(model);
        var conversation = page.Start();
        Assert.True(conversation.Send("今天有点累"));
        await SomethingSaidAsync(conversation);
        Assert.False(conversation.Send("还没说完"));
        conversation.Stop();
        await conversation.Running;
        var last = conversation.Exchanges[^1];
        Assert.Equal(ExchangeStage.Stopped, last.Stage);
        Assert.False(conversation.IsReplying);

        // What was shown of it is kept, and the model knows that it said it.
        page.Conversations.Leave(conversation);
        var again = (await page.Conversations.OpenAsync(LivePage.Owner, conversation.Id, default))!;
        Assert.NotSame(conversation, again);
        Assert.Equal((ExchangeStage.Stopped, last.Reply), (again.Exchanges[^1].Stage, again.Exchanges[^1].Reply));
        Assert.True(again.Send("还是累"));
        await SomethingSaidAsync(again);
        again.Stop();
        await again.Running;
        Assert.Contains(model.LastMessages, m => m.Role == ChatRole.Assistant && m.Text == last.Reply);
    }

    [Fact]
    public async Task A_reply_goes_on_when_nobody_watches_and_is_found_again()
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("慢慢说。", 20)) { Pause = TimeSpan.FromMilliseconds(10) };
        using var page = new LivePage(model);
        var conversation = page.Start();
        conversation.Send("今天有点累");
        page.Conversations.Leave(conversation);
        Assert.Equal(1, page.Conversations.Count);
        Assert.Null(await page.Conversations.OpenAsync("b", conversation.Id, default));
        await conversation.Running;
        Assert.Equal(0, page.Conversations.Count);
        var again = (await page.Conversations.OpenAsync(LivePage.Owner, conversation.Id, default))!;
        Assert.Equal(80, again.Exchanges[^1].Reply.Length);
    }

    [Fact]
    public async Task A_temporary_conversation_is_kept_nowhere_and_ends_after_its_page()
    {
        var time = new ManualTime();
        using var page = new LivePage(ScriptedChatClient.Saying("我在听。"), time);
        var conversation = page.Start(isTemporary: true);
        await LivePage.SayAsync(conversation, Danger);
        Assert.Empty(await page.Records.ListAsync(LivePage.Owner));
        Assert.Null((await page.Records.SettingsAsync(LivePage.Owner)).LastDangerAt);
        page.Conversations.Leave(conversation);
        Assert.Same(conversation, await page.Conversations.OpenAsync(LivePage.Owner, conversation.Id, default));
        page.Conversations.Leave(conversation);
        time.Pass(TimeSpan.FromMinutes(11));
        page.Conversations.Leave(page.Start());
        Assert.Null(await page.Conversations.OpenAsync(LivePage.Owner, conversation.Id, default));
        Assert.Empty(await (await page.Records.Temporary.OpenAsync()).ListAsync(LivePage.Owner, 0, 9, default));
    }

    [Fact]
    public async Task Danger_pauses_humour_and_rewriting_and_follows_into_the_next_conversation()
    {
        using var page = new LivePage(ScriptedChatClient.Saying("好。"));
        var conversation = page.Start();
        await LivePage.SayAsync(conversation, "今天有点累");
        Assert.Equal((Humour.Offered, true), (conversation.Humour, conversation.MayRewrite));
        await conversation.SettleAsync(new PersonSettings { HumourAllowed = false });
        Assert.Equal(Humour.TurnedOff, conversation.Humour);
        Assert.True(conversation.Rewrite("今天很累"));
        await conversation.Running;
        Assert.Equal("今天很累", Assert.Single(conversation.Exchanges).Said);
        await LivePage.SayAsync(conversation, Danger);
        Assert.Equal((Humour.Withdrawn, false, false), (conversation.Humour, conversation.MayRewrite, conversation.Rewrite()));

        for (var i = 0; i < 100 && (await page.Records.SettingsAsync(LivePage.Owner)).LastDangerAt is null; i++)
        {
            await Task.Delay(20);
        }

        var settings = await page.Records.SettingsAsync(LivePage.Owner);
        Assert.NotNull(settings.LastDangerAt);
        Assert.Equal(settings.LastDangerAt, page.Conversations.Start(LivePage.Owner, settings, isTemporary: false).State.LastDangerAt);
    }

    [Fact]
    public async Task An_erased_conversation_stops_speaking_and_stays_away()
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("慢慢说，", 1000)) { Pause = TimeSpan.FromMilliseconds(5) };
        using var page = new LivePage(model);
        var conversation = page.Start();
        conversation.Send("今天有点累");
        await SomethingSaidAsync(conversation);
        page.Conversations.Drop(LivePage.Owner, conversation.Id);
        await page.Records.EraseAsync(LivePage.Owner, conversation.Id);
        await conversation.Running;
        Assert.Empty(await page.Records.ListAsync(LivePage.Owner));
        Assert.Null(await page.Conversations.OpenAsync(LivePage.Owner, conversation.Id, default));
    }

    [Fact]
    public async Task Erasing_everything_while_danger_is_being_answered_leaves_nothing()
    {
        using var page = new LivePage(ScriptedChatClient.Saying("好。"));
        for (var i = 0; i < 20; i++)
        {
            var conversation = page.Start();
            conversation.Send(Danger);
            page.Conversations.Drop(LivePage.Owner);
            await conversation.Running;
            await page.Records.EraseAllAsync(LivePage.Owner);
            await Task.Delay(10);
            Assert.Equal(new PersonSettings(), await page.Records.SettingsAsync(LivePage.Owner));
        }
    }

    [Fact]
    public async Task Words_that_are_taken_back_leave_the_title_too()
    {
        using var page = new LivePage(ScriptedChatClient.Saying("好。"));
        var conversation = page.Start();
        await LivePage.SayAsync(conversation, "今天有点累");
        Assert.Equal("今天有点累", conversation.Title);
        conversation.Rewrite("今天还好");
        await conversation.Running;
        Assert.Equal("今天还好", Assert.Single(await page.Records.ListAsync(LivePage.Owner)).Head.Title);
        await conversation.RenameAsync("我的名字");
        conversation.Rewrite("其实很好");
        await conversation.Running;
        Assert.Equal("我的名字", Assert.Single(await page.Records.ListAsync(LivePage.Owner)).Head.Title);
    }

    private static async Task SomethingSaidAsync(LiveConversation conversation)
    {
        while (conversation.Exchanges[^1].Reply.Length < 40)
        {
            await Task.Delay(5);
        }
    }
}
