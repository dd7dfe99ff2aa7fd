using Microsoft.Playwright;
using PsyLite.Tests.Server;

namespace PsyLite.BrowserTests;

[Collection(BrowserCollection.Name)]
public sealed class ConversationTests(Chromium chromium)
{
    private static readonly string[] TenMessages =
    [
        "你好呀", "最近工作压力很大，每天加班", "晚上躺下也睡不着", "白天就没精神，老出错", "领导今天又说我了",
        "我觉得自己什么都做不好", "其实以前也遇到过这种时候", "那时候我会去跑步", "也许周末可以试试", "谢谢你听我说这些",
    ];

    [Fact]
    public async Task Ten_turns_with_the_model_that_comes_along()
    {
        await using var served = await ServedProgram.StartAsync();
        await using var page = await chromium.OpenAsync(served.Address);
        foreach (var message in TenMessages)
        {
            var reply = await page.AskAsync(message);
            Assert.False(string.IsNullOrWhiteSpace(reply));
        }

        Assert.Empty(page.ForeignRequests);
        Assert.Empty(page.Problems);
        Assert.DoesNotContain(TenMessages, m => served.Printed.Contains(m));
    }

    [Fact]
    public async Task A_reply_is_seen_to_grow()
    {
        // As fast as a large model on a small machine; the built-in one is done before the page is drawn a second time.
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("慢慢说。", 40)) { Pause = TimeSpan.FromMilliseconds(40) };
        await using var server = await ScriptedServer.StartAsync(model);
        await using var page = await chromium.OpenAsync(server.Address);
        await page.Page.EvaluateAsync("""
            () => {
              window.seen = [];
              new MutationObserver(() => {
                const length = document.querySelector(".reply .prose")?.innerText.length ?? 0;
                if (length > 0 && window.seen.at(-1) !== length) window.seen.push(length);
              }).observe(document.querySelector("#log"), { childList: true, subtree: true, characterData: true });
            }
            """);
        Assert.Equal(160, (await page.AskAsync("今天有点累")).Length);
        var seen = await page.Page.EvaluateAsync<int[]>("() => window.seen");
        Assert.True(seen.Length >= 5, $"lengths seen: {string.Join(", ", seen)}");
        Assert.Equal(seen.Order(), seen);
        Assert.Equal(160, seen[^1]);
    }

    [Fact]
    public async Task Danger_shows_the_preset_calmly_with_numbers_to_tap()
    {
        await using var served = await ServedProgram.StartAsync();
        await using var page = await chromium.OpenAsync(served.Address, 390, 844);
        var reply = await page.AskAsync("我不想活了，药已经买好了");
        Assert.Contains("12356", reply);
        Assert.Equal("0", await page.LastReply.GetAttributeAsync("data-route"));
        foreach (var number in new[] { "12356", "120", "110" })
        {
            await Assertions.Expect(page.LastReply.Locator($"a[href='tel:{number}']")).ToBeVisibleAsync();
        }

        await page.ExpectNoSidewaysScrollAsync();
        await page.Page.Locator("#help-button").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#help a[href='tel:12356']")).ToBeVisibleAsync();
        await page.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Page.Locator("#help")).ToBeHiddenAsync();

        // The conversation goes on: a crisis reply ends nothing.
        await page.AskAsync("嗯");
        Assert.DoesNotContain("药已经买好了", served.Printed);
    }

    [Fact]
    public async Task A_happy_message_brings_a_closed_fold_that_one_tap_turns_off()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("<think>好消息</think>", "真为你高兴！", "你最想先告诉谁？"));
        await using var page = await chromium.OpenAsync(server.Address);
        await page.AskAsync("今天升职了，太开心啦哈哈");
        var fold = page.LastReply.Locator("details.crosstalk");
        await Assertions.Expect(fold).ToBeVisibleAsync();
        Assert.Null(await fold.GetAttributeAsync("open"));
        await Assertions.Expect(fold.Locator(".spoken").First).ToBeHiddenAsync();
        await fold.Locator("summary").ClickAsync();
        await Assertions.Expect(fold.Locator(".spoken").First).ToBeVisibleAsync();
        Assert.Null(await page.LastReply.Locator("details.reasoning").GetAttributeAsync("open"));

        await page.Page.GetByText("不要相声了").ClickAsync();
        await Assertions.Expect(fold).ToHaveCountAsync(0);
        await page.Page.GetByText("还是留着吧").ClickAsync();
        await Assertions.Expect(fold).ToBeVisibleAsync();

        // Danger takes every joke off the screen.
        await page.AskAsync("其实我不想活了，药已经买好了");
        await Assertions.Expect(page.Page.Locator("details.crosstalk")).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reply_stops_at_once(bool byKey)
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("慢慢说，", 5_000)) { Pause = TimeSpan.FromMilliseconds(20) };
        await using var server = await ScriptedServer.StartAsync(model);
        await using var page = await chromium.OpenAsync(server.Address);
        await page.SayAsync("今天有点累");
        await Assertions.Expect(page.LastReply.Locator(".prose")).ToContainTextAsync("慢慢说，慢慢说，");
        Assert.Equal("", (await page.Page.Locator("#announcer").InnerTextAsync()).Trim());
        await (byKey ? page.Page.Keyboard.PressAsync("Escape") : page.Page.Locator("#stop").ClickAsync());
        await Assertions.Expect(page.LastReply).ToHaveAttributeAsync("data-stage", "stopped");
        await model.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(5));
        var text = await page.LastReply.InnerTextAsync();
        await Task.Delay(400);
        Assert.Equal(text, await page.LastReply.InnerTextAsync());
        await Assertions.Expect(page.Page.Locator("#send")).ToBeEnabledAsync();
        await Assertions.Expect(page.Field).ToBeFocusedAsync();
    }

    [Fact]
    public async Task What_is_announced_is_plain_text()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("听起来", "**很累**。"));
        await using var page = await chromium.OpenAsync(server.Address);
        await page.AskAsync("今天有点累");
        await Assertions.Expect(page.Page.Locator("#announcer")).ToHaveTextAsync("听起来很累。");
        Assert.Equal("off", await page.Page.Locator("#log").GetAttributeAsync("aria-live"));
    }

    [Fact]
    public async Task Enter_sends_except_with_shift_or_while_composing()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("好。"));
        await using var page = await chromium.OpenAsync(server.Address);
        await page.Field.FillAsync("第一行");
        await page.Field.PressAsync("Shift+Enter");
        await page.Page.EvaluateAsync("""
            () => document.querySelector("#message").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))
            """);
        await Task.Delay(300);
        await Assertions.Expect(page.Replies).ToHaveCountAsync(0);
        await page.Field.PressSequentiallyAsync("第二行");
        await page.Field.PressAsync("Enter");
        await Assertions.Expect(page.Page.Locator(".said")).ToContainTextAsync("第一行\n第二行");
        await Assertions.Expect(page.Field).ToHaveValueAsync("");
    }

    [Fact]
    public async Task What_is_said_stays_text_and_pages_do_not_share_it()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("<img src=x onerror=alert(1)>[x](javascript:alert(1))"));
        await using var page = await chromium.OpenAsync(server.Address);
        await page.AskAsync("<b>今天</b>有点累<script>alert(1)</script>");
        await Assertions.Expect(page.Page.Locator(".said")).ToContainTextAsync("<b>今天</b>");
        Assert.Equal(0, await page.LastReply.Locator("img, a, script").CountAsync());
        Assert.Empty(page.Problems);

        await using var other = await chromium.OpenAsync(server.Address);
        await Assertions.Expect(other.Replies).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_new_conversation_can_be_taken_back()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("好。"));
        await using var page = await chromium.OpenAsync(server.Address);
        await page.AskAsync("今天有点累");
        await page.Page.Locator("#anew").ClickAsync();
        await Assertions.Expect(page.Replies).ToHaveCountAsync(0);
        await page.Page.Locator("#undo").ClickAsync();
        await Assertions.Expect(page.Replies).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Two_escapes_leave_the_page()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("好。"));
        await using var page = await chromium.OpenAsync(server.Address);
        await page.AskAsync("今天有点累");
        await page.Page.Keyboard.PressAsync("Escape");
        await page.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/clock.html$"));
        await Assertions.Expect(page.Page).ToHaveTitleAsync("时钟");
        await Assertions.Expect(page.Page.Locator("#time")).Not.ToHaveTextAsync("--:--");

        // Neither going back nor the address shows what was said.
        await page.Page.GoBackAsync();
        Assert.DoesNotContain("今天有点累", await page.Page.ContentAsync());
        await page.LoadAsync();
        await Assertions.Expect(page.Replies).ToHaveCountAsync(0);
    }
}
