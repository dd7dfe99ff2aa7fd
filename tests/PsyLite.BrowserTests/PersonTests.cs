using Microsoft.Playwright;
using PsyLite.Tests.Server;

namespace PsyLite.BrowserTests;

/// <summary>What the page knows and minds of the person: age, place, contact, humour, check-ins, time.</summary>
[Collection(BrowserCollection.Name)]
public sealed class PersonTests(Chromium chromium)
{
    private const string Happy = "今天升职了，太开心啦哈哈";
    private const string Danger = "我不想活了，药已经买好了";

    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    public async Task A_child_needs_a_guardian_and_sees_help_before(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"));
        await using var page = await chromium.NewAsync(server.Address, width, 844, scheme);
        await page.VisitAsync();
        await Assertions.Expect(page.Page.Locator(".welcome")).ToContainTextAsync("我是一个电脑程序，不是真人");
        await Assertions.Expect(page.Page.Locator(".welcome")).ToContainTextAsync("12356");
        await page.Page.Locator("#start").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".problem")).ToContainTextAsync("请选一下年龄");
        await page.Page.Locator(".ages input").Nth(2).CheckAsync();
        await Assertions.Expect(page.Page.Locator(".guardian")).ToContainTextAsync("12355");
        await page.Page.Locator("#start").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".problem")).ToHaveTextAsync("要监护人同意才能开始。");
        await page.ExpectNoSidewaysScrollAsync();
        await page.Page.Locator("#guardian").CheckAsync();
        await page.EnterAsync(2, keeps: false);
        await page.Page.Locator("#help-button").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#help > .lines a[href='tel:12355']")).ToBeVisibleAsync();
        await page.VisitAsync();
        await Assertions.Expect(page.Page.Locator("#start")).ToBeHiddenAsync();
    }

    [Theory]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    public async Task Who_says_nothing_may_talk_and_nothing_is_kept(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"));
        await using var page = await chromium.NewAsync(server.Address, width, 844, scheme);
        await page.VisitAsync();
        await page.Page.Locator("#skip").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".kept")).ToHaveTextAsync("临时对话：不会保存");
        await page.AskAsync("今天有点累");
        await page.Page.Locator("#menu").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#drawer .entry.title")).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    public async Task Place_and_contact_change_what_is_offered_in_danger(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.AskAsync("今天有点累");
        await page.ChooseAsync("#to-settings");
        await page.Page.Locator("#region").SelectOptionAsync("HK");
        await Assertions.Expect(page.Page.Locator(".help-number")).ToHaveTextAsync("18111");
        await page.Page.Locator("#contact-name").FillAsync("姐姐");
        await page.Page.Locator("#contact-reach").FillAsync("138 0000 0000");
        await page.Page.Locator("#contact-save").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#settings-status")).ToHaveTextAsync("要先勾选同意，才能记下。");
        await page.Page.Locator("#contact-consent").CheckAsync();
        await page.Page.Locator("#contact-save").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#settings-status")).ToHaveTextAsync("已经记下。");
        await page.GoBackAsync(1);

        // In the conversation that was open already, and in every later one.
        Assert.Contains("姐姐", await page.AskAsync(Danger));
        await Assertions.Expect(page.LastReply.Locator("a[href='tel:18111']")).ToBeVisibleAsync();
        await Assertions.Expect(page.LastReply.Locator("a[href='tel:13800000000']")).ToContainTextAsync("姐姐");
        await page.LoadAsync();
        await Assertions.Expect(page.Page.Locator(".help-number")).ToHaveTextAsync("18111");
        await page.ExpectNoSidewaysScrollAsync();
    }

    [Theory]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    public async Task More_of_this_and_none_of_this_are_remembered(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("真为你高兴！"));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.AskAsync(Happy);
        await page.LastReply.Locator(".more").ClickAsync();
        await Assertions.Expect(page.LastReply.Locator(".noted")).ToHaveTextAsync("好，记住了。");
        var kept = await new HttpClient().GetStringAsync($"{server.Address}/my/export.json");
        Assert.Contains("likedThemes", kept);
        await page.LastReply.Locator(".none").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".crosstalk")).ToHaveCountAsync(0);
        await page.LoadAsync();
        await page.StartAnewAsync();
        await page.AskAsync(Happy);
        await Assertions.Expect(page.Page.Locator(".crosstalk")).ToHaveCountAsync(0);
        await page.ChooseAsync("#to-settings");
        await Assertions.Expect(page.Page.Locator("#humour")).Not.ToBeCheckedAsync();
        await page.Page.Locator("#humour").CheckAsync();
        await page.GoBackAsync(1);
        await page.StartAnewAsync();
        await page.AskAsync(Happy);
        await Assertions.Expect(page.Page.Locator(".crosstalk")).ToHaveCountAsync(1);
    }

    [Theory]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    public async Task Check_ins_are_scored_and_drawn(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.ChooseAsync("#to-check-ins");
        await page.Page.Locator("#mood").FillAsync("3");
        await page.Page.Locator("#keep-mood").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#mood-status")).ToHaveTextAsync("记下了。");
        await page.Page.Locator("#gad7").ClickAsync();
        await page.Page.Locator("#see-result").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".problem")).ToContainTextAsync("还有 7 题没选");
        await AnswerAsync(page, [2, 2, 2, 2, 1, 1, 0]);
        await Assertions.Expect(page.Page.Locator(".score")).ToHaveTextAsync("10 分（最高 21 分）");
        await Assertions.Expect(page.Page.Locator(".band")).ToHaveTextAsync("焦虑到了中等程度");
        await Assertions.Expect(page.Page.Locator(".result")).ToContainTextAsync("这是筛查，不是诊断");
        await Assertions.Expect(page.Page.Locator(".result a[href='tel:12356']")).ToBeVisibleAsync();
        await page.Page.Locator("#to-trend").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#trend canvas").First).ToBeVisibleAsync();
        await page.ExpectNoSidewaysScrollAsync();
        await page.LoadAsync();
        await page.ChooseAsync("#to-check-ins");
        await Assertions.Expect(page.Page.Locator("#trend canvas").First).ToBeVisibleAsync();
        Assert.Empty(page.Problems);
        Assert.Empty(page.ForeignRequests);
    }

    [Theory]
    [InlineData("zh-CN", 390, ColorScheme.Light)]
    [InlineData("en", 1280, ColorScheme.Dark)]
    public async Task Item_9_is_answered_at_once_in_the_conversation(string language, int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        if (language == "en")
        {
            await page.ChooseAsync("#language");
            await page.Page.Keyboard.PressAsync("Escape");
            await Assertions.Expect(page.Page.Locator("html")).ToHaveAttributeAsync("lang", "en");
        }

        await page.ChooseAsync("#to-check-ins");
        await page.Page.Locator("#phq9").ClickAsync();
        await AnswerAsync(page, [0, 1, 0, 0, 0, 0, 0, 0, 1]);
        await Assertions.Expect(page.LastReply).ToHaveAttributeAsync("data-route", "0");
        await Assertions.Expect(page.LastReply.Locator(".calls a").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Page.Locator("#at-risk")).ToBeVisibleAsync();

        // What follows is answered as after any other danger.
        await Assertions.Expect(page.Replies).ToHaveCountAsync(1);
        await page.AskAsync(language == "en" ? "ok" : "嗯");
        Assert.Equal("0", await page.LastReply.GetAttributeAsync("data-route"));
    }

    [Theory]
    [InlineData(0, 5, "已经聊了两个小时", 390, ColorScheme.Dark)]
    [InlineData(1, 3, "已经聊了一个小时", 1280, ColorScheme.Light)]
    public async Task After_some_hours_it_says_again_what_it_is_and_asks_for_a_break(int age, int due, string words, int width, ColorScheme scheme)
    {
        var time = new ShiftedTime();
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"), time);
        await using var page = await chromium.NewAsync(server.Address, width, 844, scheme);
        await page.VisitAsync();
        await page.EnterAsync(age, keeps: true);
        for (var i = 0; i <= due; i++)
        {
            await page.AskAsync("今天有点累");
            await Assertions.Expect(page.Page.Locator(".reminder")).ToHaveCountAsync(i == due ? 1 : 0);
            time.Shift += TimeSpan.FromMinutes(25);
        }

        await Assertions.Expect(page.Page.Locator(".reminder")).ToContainTextAsync(words);
        await Assertions.Expect(page.Page.Locator(".reminder")).ToContainTextAsync("我是电脑程序，不是真人");
    }

    [Theory]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    public async Task After_danger_no_joke_comes_in_any_conversation(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("真为你高兴！"));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.AskAsync(Happy);
        await Assertions.Expect(page.Page.Locator(".crosstalk")).ToHaveCountAsync(1);
        await page.AskAsync(Danger);
        await Assertions.Expect(page.Page.Locator(".crosstalk")).ToHaveCountAsync(0);
        await page.StartAnewAsync();
        await page.AskAsync(Happy);
        await Assertions.Expect(page.Page.Locator(".crosstalk")).ToHaveCountAsync(0);
        await page.LoadAsync();
        await page.StartAnewAsync();
        await page.AskAsync(Happy);
        await Assertions.Expect(page.Page.Locator(".crosstalk")).ToHaveCountAsync(0);
        await Assertions.Expect(page.Page.Locator("#at-risk")).ToHaveCountAsync(0);
    }

    private static async Task AnswerAsync(PageProbe page, int[] answers)
    {
        for (var i = 0; i < answers.Length; i++)
        {
            await page.Page.Locator($"input[name=item-{i}]").Nth(answers[i]).CheckAsync();
        }

        await page.Page.Locator("#see-result").ClickAsync();
    }

    /// <summary>The real clock, moved on.</summary>
    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;

        public override long GetTimestamp() => base.GetTimestamp() + (long)(Shift.TotalSeconds * TimestampFrequency);
    }
}
