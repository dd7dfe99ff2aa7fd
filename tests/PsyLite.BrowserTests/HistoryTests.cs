using System.Text.Json;
using Microsoft.Playwright;
using PsyLite.Tests.Server;

namespace PsyLite.BrowserTests;

/// <summary>Conversations that are kept: found again, gone on with, worded anew, taken along and erased.</summary>
[Collection(BrowserCollection.Name)]
public sealed class HistoryTests(Chromium chromium)
{
    private const string Danger = "我不想活了，药已经买好了";

    [Theory]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    public async Task Conversations_are_kept_found_renamed_and_deleted(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.AskAsync("和室友吵架了");
        await page.StartAnewAsync();
        await page.AskAsync("最近总是睡不好");

        await page.Page.Locator("#menu").ClickAsync();
        var titles = page.Page.Locator("#drawer .entry.title");
        await Assertions.Expect(titles).ToHaveTextAsync(["最近总是睡不好", "和室友吵架了"]);
        await page.Page.Locator("#search").FillAsync("室友");
        await Assertions.Expect(titles).ToHaveCountAsync(1);
        await Assertions.Expect(page.Page.Locator("#history-status")).ToHaveTextAsync("找到 1 段对话");
        await titles.First.ClickAsync();
        await Assertions.Expect(page.Page.Locator(".said")).ToContainTextAsync("和室友吵架了");
        await Assertions.Expect(page.LastReply).ToContainTextAsync("我在听。");
        await page.AskAsync("后来和好了");

        await page.Page.Locator("#menu").ClickAsync();
        await page.Page.GetByLabel("“和室友吵架了”的更多操作").ClickAsync();
        await page.Page.GetByText("改名").ClickAsync();
        await page.Page.GetByLabel("新的名字").FillAsync("宿舍的事");
        await page.Page.Locator(".renaming button").ClickAsync();
        await Assertions.Expect(titles.First).ToHaveTextAsync("宿舍的事");
        await page.ExpectNoSidewaysScrollAsync();
        await page.Page.GetByLabel("“宿舍的事”的更多操作").ClickAsync();
        await page.Page.Locator(".row-actions").GetByText("删除").ClickAsync();
        await page.Page.Locator(".row-actions .danger").ClickAsync();
        await Assertions.Expect(titles).ToHaveTextAsync(["最近总是睡不好"]);
        await Assertions.Expect(page.Replies).ToHaveCountAsync(0);
        Assert.Empty(page.ForeignRequests);
        Assert.Empty(page.Problems);
    }

    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    public async Task A_running_reply_goes_on_and_is_seen_after_a_reload(int width, ColorScheme scheme)
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("慢慢说。", 40)) { Pause = TimeSpan.FromMilliseconds(50) };
        await using var server = await ScriptedServer.StartAsync(model);
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.SayAsync("今天有点累");
        await Assertions.Expect(page.LastReply.Locator(".prose")).ToContainTextAsync("慢慢说。慢慢说。");
        await page.LoadAsync();
        await Assertions.Expect(page.LastReply).ToHaveAttributeAsync("data-stage", "replying");
        await Assertions.Expect(page.LastReply).ToHaveAttributeAsync("data-stage", "done");
        Assert.Equal(160, (await page.LastReply.Locator(".prose").InnerTextAsync()).Length);
        Assert.Equal(1, model.Calls);

        // A stopped one keeps what was shown, after a reload too.
        await page.SayAsync("还是累");
        await Assertions.Expect(page.Replies).ToHaveCountAsync(2);
        await Assertions.Expect(page.LastReply.Locator(".prose")).ToContainTextAsync("慢慢说。慢慢说。");
        await page.Page.Locator("#stop").ClickAsync();
        await Assertions.Expect(page.LastReply).ToHaveAttributeAsync("data-stage", "stopped");
        var shown = await page.LastReply.Locator(".prose").InnerTextAsync();
        await page.LoadAsync();
        await Assertions.Expect(page.LastReply).ToHaveAttributeAsync("data-stage", "stopped");
        Assert.Equal(shown, await page.LastReply.Locator(".prose").InnerTextAsync());
    }

    [Theory]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    public async Task A_lost_connection_loses_nothing(int width, ColorScheme scheme)
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("慢慢说。", 40)) { Pause = TimeSpan.FromMilliseconds(50) };
        await using var server = await ScriptedServer.StartAsync(model);
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.SayAsync("今天有点累");
        await Assertions.Expect(page.LastReply.Locator(".prose")).ToContainTextAsync("慢慢说。慢慢说。");
        await page.Page.EvaluateAsync("() => Blazor._internal.forceCloseConnection()");
        await Assertions.Expect(page.LastReply).ToHaveAttributeAsync("data-stage", "done");
        Assert.Equal(160, (await page.LastReply.Locator(".prose").InnerTextAsync()).Length);
    }

    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    public async Task A_temporary_chat_survives_a_reload_and_leaves_nothing(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.ChooseAsync("#drawer-temporary");
        await Assertions.Expect(page.Page.Locator(".kept")).ToHaveTextAsync("临时对话：不会保存");
        await page.AskAsync("这句不要留下");
        await page.LoadAsync();
        await Assertions.Expect(page.Page.Locator(".said")).ToContainTextAsync("这句不要留下");
        await page.Page.Locator("#menu").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#history-status")).ToHaveTextAsync("还没有保存的对话。");
        await Assertions.Expect(page.Page.Locator("#drawer .entry.title")).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    public async Task A_reply_is_made_again_and_a_message_changed_until_danger_comes_up(int width, ColorScheme scheme)
    {
        var count = 0;
        await using var server = await ScriptedServer.StartAsync(new ScriptedChatClient(_ => [$"第{++count}个回答。"]));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        Assert.Equal("第1个回答。", await page.AskAsync("今天有点累"));
        await page.LastReply.Locator(".regenerate").ClickAsync();
        await Assertions.Expect(page.LastReply.Locator(".prose")).ToHaveTextAsync("第2个回答。");
        await page.LastReply.Locator(".edit").ClickAsync();
        await page.Page.Locator("#rewording").FillAsync("昨晚没睡好，很累");
        await page.Page.Locator(".rewording .primary").ClickAsync();
        await Assertions.Expect(page.LastReply.Locator(".prose")).ToHaveTextAsync("第3个回答。");
        await Assertions.Expect(page.Page.Locator(".said")).ToHaveTextAsync("你说: 昨晚没睡好，很累");
        await page.LoadAsync();
        await Assertions.Expect(page.Page.Locator(".said")).ToHaveTextAsync("你说: 昨晚没睡好，很累");
        await Assertions.Expect(page.Replies).ToHaveCountAsync(1);

        await page.AskAsync(Danger);
        await Assertions.Expect(page.Page.Locator("#at-risk")).ToBeVisibleAsync();
        await Assertions.Expect(page.Page.Locator(".regenerate, .edit")).ToHaveCountAsync(0);
        await page.Page.Locator("#menu").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#drawer .entry.title")).ToHaveTextAsync("昨晚没睡好，很累");
    }

    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    public async Task What_begins_with_danger_has_a_title_that_tells_nothing(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.AskAsync(Danger);
        await page.Page.Locator("#menu").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#drawer .entry.title")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex(@"^\d{4}-\d\d-\d\d$"));
    }

    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    public async Task Everything_can_be_taken_along_and_erased(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("我在听。"));
        await using var page = await chromium.OpenAsync(server.Address, width, 844, scheme);
        await page.AskAsync("要带走的话");
        await page.ChooseAsync("#to-settings");
        using var json = JsonDocument.Parse(await DownloadAsync(page, "#export-json"));
        Assert.Equal("要带走的话", json.RootElement.GetProperty("conversations")[0].GetProperty("messages")[0].GetProperty("text").GetString());
        Assert.Contains("要带走的话", await DownloadAsync(page, "#export-html"));

        await page.Page.Locator("#erase").ClickAsync();
        await page.ExpectNoSidewaysScrollAsync();
        await page.Page.Locator("#erase-confirm").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#start")).ToBeVisibleAsync();
        using var gone = JsonDocument.Parse(await new HttpClient().GetStringAsync($"{server.Address}/my/export.json"));
        Assert.Equal((0, 0), (gone.RootElement.GetProperty("conversations").GetArrayLength(), gone.RootElement.GetProperty("consents").GetArrayLength()));
        await page.LoadAsync();
        await Assertions.Expect(page.Replies).ToHaveCountAsync(0);
    }

    private static async Task<string> DownloadAsync(PageProbe page, string selector)
    {
        var download = await page.Page.RunAndWaitForDownloadAsync(() => page.Page.Locator(selector).ClickAsync());
        return await File.ReadAllTextAsync(await download.PathAsync());
    }
}
