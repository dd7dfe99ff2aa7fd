using Microsoft.Playwright;
using PsyLite.Tests.Server;

namespace PsyLite.BrowserTests;

[Collection(BrowserCollection.Name)]
public sealed class AppearanceTests(Chromium chromium)
{
    private static readonly string LongReply = string.Concat(Enumerable.Repeat("听起来你这段时间真的很不容易。", 12)) + "\n\n1. 先停一下\n2. 再呼气\n\n```\n" + new string('x', 300) + "\n```\n" + new string('长', 200) + "w".PadRight(300, 'w');

    [Theory]
    [InlineData(320)]
    [InlineData(390)]
    [InlineData(768)]
    [InlineData(1280)]
    public async Task Nothing_sticks_out_at_the_side(int width)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("<think>" + new string('思', 400) + "</think>", LongReply));
        await using var page = await chromium.OpenAsync(server.Address, width, 844);
        await page.ExpectNoSidewaysScrollAsync();
        await page.AskAsync("https://example.org/" + new string('a', 300));
        await page.LastReply.Locator("details.reasoning summary").ClickAsync();
        await page.ExpectNoSidewaysScrollAsync();
        await page.ChooseAsync("#language");
        await page.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Page.Locator("html")).ToHaveAttributeAsync("lang", "en");
        await page.ExpectNoSidewaysScrollAsync();
        await page.Page.Locator("#help-button").ClickAsync();
        await page.ExpectNoSidewaysScrollAsync();
        var box = await page.Page.Locator("#help").BoundingBoxAsync();
        Assert.True(box!.X >= 0 && box.X + box.Width <= width);
    }

    [Fact]
    public async Task Language_and_theme_switch_and_are_remembered()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("好。"));
        await using var page = await chromium.OpenAsync(server.Address);
        await Assertions.Expect(page.Page.Locator("h1")).ToHaveTextAsync("今天过得怎么样？");
        await page.ChooseAsync("#language");
        await page.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Page.Locator("h1")).ToHaveTextAsync("How has today been?");
        await Assertions.Expect(page.Page.Locator(".limits")).ToContainTextAsync("I am a computer program, not a person");

        var light = await GroundAsync(page);
        await page.ChooseAsync("#theme");
        await Assertions.Expect(page.Page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        var dark = await GroundAsync(page);
        Assert.NotEqual(light, dark);

        await page.LoadAsync();
        await Assertions.Expect(page.Page.Locator("h1")).ToHaveTextAsync("How has today been?");
        await Assertions.Expect(page.Page.Locator("html")).ToHaveAttributeAsync("lang", "en");
        Assert.Equal(dark, await GroundAsync(page));
    }

    [Fact]
    public async Task The_system_s_dark_preference_is_followed()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("好。"));
        await using var light = await chromium.OpenAsync(server.Address);
        await using var dark = await chromium.OpenAsync(server.Address, scheme: ColorScheme.Dark);
        Assert.NotEqual(await GroundAsync(light), await GroundAsync(dark));
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Text_has_the_contrast_of_WCAG_AA(ColorScheme scheme)
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("<think>想</think>", "真为你高兴！"));
        await using var page = await chromium.OpenAsync(server.Address, scheme: scheme);
        await ExpectContrastAsync(page, "h1, .invitation, .limits, .openings button, .small, .quiet, .wordmark, .help, .help-number");
        await page.AskAsync("今天升职了，太开心啦哈哈");
        await page.LastReply.Locator("details.crosstalk summary").ClickAsync();
        await page.LastReply.Locator("details.reasoning summary").ClickAsync();
        await ExpectContrastAsync(page, ".said, .prose p, summary, .title, .spoken b, .spoken span, .draft, .note, .action, .act");
        await page.AskAsync("我不想活了，药已经买好了");
        await ExpectContrastAsync(page, ".reply-crisis .prose p, .calls a, #at-risk");
        await page.Page.Locator("#help-button").ClickAsync();
        await ExpectContrastAsync(page, "#help h2, #help p, #help .number, #help .line-name, #help small");
    }

    [Fact]
    public async Task Everything_can_be_reached_and_named_by_keyboard()
    {
        await using var server = await ScriptedServer.StartAsync(ScriptedChatClient.Saying("好。"));
        await using var page = await chromium.OpenAsync(server.Address);
        var unnamed = await page.Page.EvaluateAsync<int>("""
            () => [...document.querySelectorAll("button, a, textarea")].filter(e => !(e.getAttribute("aria-label") || e.innerText || e.textContent || e.labels?.length)).length
            """);
        Assert.Equal(0, unnamed);
        var reached = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            await page.Page.Keyboard.PressAsync("Tab");
            reached.Add(await page.Page.EvaluateAsync<string>("document.activeElement.id || document.activeElement.className"));
        }

        Assert.Superset(new HashSet<string> { "menu", "leave", "help-button", "message", "send", "skip" }, reached);
    }

    private static Task<string> GroundAsync(PageProbe page) => page.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");

    /// <summary>Compares each element's text colour with the first opaque background behind it.</summary>
    private static async Task ExpectContrastAsync(PageProbe page, string selectors)
    {
        var poor = await page.Page.EvaluateAsync<string[]>("""
            selectors => {
              const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
              const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
              const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
              const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > 230) return c; } return [255, 255, 255]; };
              const found = [...document.querySelectorAll(selectors)].filter(e => e.checkVisibility());
              if (found.length < 4) return [`only ${found.length} elements found`];
              return found.map(e => { const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))]; return [e, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]; })
                .filter(([, ratio]) => ratio < 4.5).map(([e, ratio]) => `${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
            }
            """, selectors);
        Assert.Empty(poor);
    }
}
