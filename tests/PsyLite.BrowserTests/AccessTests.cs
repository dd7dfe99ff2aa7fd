using Microsoft.Playwright;
using PsyLite.Tests.Server;

namespace PsyLite.BrowserTests;

/// <summary>For everybody: axe-core finds nothing in any view, everything can be tapped, and nothing sticks out on the smallest phone.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AccessTests(Chromium chromium)
{
    private readonly List<string> _faults = [];

    [Theory]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(320, ColorScheme.Light)]
    public async Task No_view_has_a_fault(int width, ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("<think>想</think>", "真为你高兴！"));
        await using var page = await chromium.NewAsync(server.Address, width, 844, scheme);
        await page.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ReducedMotion = ReducedMotion.Reduce, ColorScheme = scheme });
        await page.VisitAsync();
        await page.Page.Locator(".ages input").Nth(2).CheckAsync();
        await LookAsync(page, "welcome");
        await page.EnterAsync(0, keeps: true);
        await LookAsync(page, "greeting");
        await page.AskAsync("今天升职了，太开心啦哈哈");
        await page.LastReply.Locator(".crosstalk summary").ClickAsync();
        await LookAsync(page, "conversation");
        await page.LastReply.Locator(".edit").ClickAsync();
        await LookAsync(page, "rewording");
        await page.Page.Locator(".rewording").GetByText("取消").ClickAsync();
        await page.AskAsync("我不想活了，药已经买好了");
        await LookAsync(page, "danger");
        await page.Page.Locator("#help-button").ClickAsync();
        await page.Page.Locator(".elsewhere summary").ClickAsync();
        await LookAsync(page, "help");
        await page.Page.Locator("#help .tool").ClickAsync();
        await page.Page.Locator("#menu").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#drawer .entry.title")).ToHaveCountAsync(1);
        await page.Page.Locator("#drawer li .tool").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".row-actions")).ToBeVisibleAsync();
        await LookAsync(page, "drawer");
        await page.Page.Locator("#to-settings").ClickAsync();
        await page.Page.Locator("#erase").ClickAsync();
        await LookAsync(page, "settings");
        await page.ChooseAsync("#to-check-ins");
        for (var i = 0; i < 2; i++)
        {
            await page.Page.Locator("#keep-mood").ClickAsync();
            await Assertions.Expect(page.Page.Locator("#mood-status")).ToHaveTextAsync("记下了。");
        }

        await Assertions.Expect(page.Page.Locator("#trend canvas").First).ToBeVisibleAsync();
        await LookAsync(page, "check-ins");
        await page.Page.Locator("#phq9").ClickAsync();
        await LookAsync(page, "questions");
        Assert.True(_faults.Count == 0, string.Join('\n', _faults));
    }

    [Fact]
    public async Task The_first_stop_of_the_keyboard_leads_past_the_bar()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("听起来很累。", "先歇一歇。", "还有"));
        await using var page = await chromium.OpenAsync(server.Address);
        await page.Page.Locator("#menu").FocusAsync();
        await page.Page.Keyboard.PressAsync("Shift+Tab");
        await Assertions.Expect(page.Page.Locator(".skip")).ToBeFocusedAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Field).ToBeFocusedAsync();

        // Sentences are told as they are finished, each once, what is left at the end.
        await page.AskAsync("今天有点累");
        await Assertions.Expect(page.Page.Locator("#announcer")).ToContainTextAsync("还有");
        Assert.Equal("听起来很累。先歇一歇。还有", string.Concat((await page.Page.Locator("#announcer p").AllInnerTextsAsync()).Select(t => t.Trim())));
    }

    private async Task LookAsync(PageProbe page, string view)
    {
        await page.ExpectNoSidewaysScrollAsync();
        _faults.AddRange((await page.AccessFaultsAsync()).Select(f => $"{view}: {f}"));
        var small = await page.Page.EvaluateAsync<string[]>("""
            () => [...document.querySelectorAll("button, select, summary, .calls a, .lines a, .button, .segments label, .option, .tick, .switch, input[type=search], input[type=range]")]
              .filter(e => e.checkVisibility() && !e.matches(".quiet, .skip"))
              .map(e => [e, e.getBoundingClientRect()])
              .filter(([, box]) => box.width > 0 && (box.height < 43.5 || box.width < 43.5))
              .map(([e, box]) => `${e.tagName}#${e.id}.${e.className} ${box.width}x${box.height}`)
            """);
        _faults.AddRange(small.Select(s => $"{view}: too small to tap: {s}"));
    }
}
