using Microsoft.Playwright;
using PsyLite.Store.Accounts;
using PsyLite.Tests.Server;
using PsyLite.Tests.Store;

namespace PsyLite.BrowserTests;

/// <summary>Sign-in, account and the counsellors' console in a real browser, on a phone and on a desktop, in both themes and languages.</summary>
[Collection(BrowserCollection.Name)]
public sealed class OfficeTests(Chromium chromium)
{
    [Theory]
    [InlineData(390, ColorScheme.Light, "zh-CN")]
    [InlineData(1280, ColorScheme.Dark, "en")]
    public async Task A_counsellor_signs_in_takes_over_answers_and_closes(int width, ColorScheme scheme, string language)
    {
        await using var server = await OfficeServer.StartAsync(ScriptedChatClient.Saying("嗯，我在听。"));
        await server.AddAsync("wang", AccountRole.Counsellor);
        var key = await server.KeyAsync("person");
        await server.SayAsync(key, "night", "我不想活了，药已经买好了");
        await using var page = await chromium.OpenOfficeAsync(server.Address, "/console", width, scheme, language);

        // Without a session the console leads to the sign-in, and from there back.
        await Assertions.Expect(page.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/sign-in"));
        await LookAsync(page, $"sign-in-{width}");
        await page.Page.Locator("input[name=name]").FillAsync("wang");
        await page.Page.Locator("input[name=password]").FillAsync("not the password");
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Page.Locator("[role=alert]")).ToBeVisibleAsync();
        await page.Page.Locator("input[name=password]").FillAsync(OfficeServer.Password);
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Page.Locator(".call")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Page.Locator(".call")).ToContainTextAsync("T3");
        Assert.DoesNotContain("药", await page.Page.Locator("main").InnerTextAsync());
        await LookAsync(page, $"console-queue-{width}");

        await page.Page.Locator(".call button").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".talk")).ToContainTextAsync("药已经买好了");
        await page.Page.Locator("#answer").FillAsync("我是咨询员小王。现在有谁在你身边？");
        await page.Page.Locator(".answer [type=submit]").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".talk-mine p")).ToHaveTextAsync("我是咨询员小王。现在有谁在你身边？");
        await Assertions.Expect(page.Page.Locator("#answer")).ToHaveValueAsync("");
        await LookAsync(page, $"console-talk-{width}");

        // What the person says next appears by itself.
        await server.SayAsync(key, "night", "我一个人在宿舍");
        await Assertions.Expect(page.Page.Locator(".talk")).ToContainTextAsync("我一个人在宿舍");

        // Closing is asked twice.
        var close = page.Page.Locator(".answer .office-second");
        await close.ClickAsync();
        await Assertions.Expect(page.Page.Locator(".call")).ToHaveCountAsync(1);
        await close.ClickAsync();
        await Assertions.Expect(page.Page.Locator(".call")).ToHaveCountAsync(0);
        await Assertions.Expect(page.Page.Locator(".figures tbody tr")).Not.ToHaveCountAsync(0);
        Assert.Empty(page.ForeignRequests);

        // Chromium notes the refused sign-in and nothing else.
        Assert.All(page.Problems, p => Assert.Contains("401", p));
    }

    [Theory]
    [InlineData(390, ColorScheme.Light, false)]
    [InlineData(1280, ColorScheme.Dark, true)]
    public async Task A_counsellors_words_appear_on_the_persons_page_by_themselves(int width, ColorScheme scheme, bool isElsewhere)
    {
        using var keys = new TemporaryFolder();
        var postgres = isElsewhere ? new PostgresServer() : null;
        await (postgres?.InitializeAsync() ?? Task.CompletedTask);
        try
        {
            (string, string)? shared = postgres is null ? null : (await postgres.CreateAsync(), keys["server.key"]);
            await using var here = await OfficeServer.StartAsync(ScriptedChatClient.Saying("嗯，我在听。"), shared);
            await using var there = postgres is null ? null : await OfficeServer.StartAsync(ScriptedChatClient.Saying("嗯，我在听。"), shared);
            await AnswerAndCloseAsync(here, there ?? here, width, scheme);
        }
        finally
        {
            await (postgres?.DisposeAsync() ?? Task.CompletedTask);
        }
    }

    [Theory]
    [InlineData(390, ColorScheme.Dark, "zh-CN")]
    [InlineData(1280, ColorScheme.Light, "en")]
    public async Task A_person_makes_a_key_and_signs_out(int width, ColorScheme scheme, string language)
    {
        await using var server = await OfficeServer.StartAsync(ScriptedChatClient.Saying("嗯。"));
        await server.AddAsync("li", AccountRole.Client);
        await using var page = await chromium.OpenOfficeAsync(server.Address, "/account", width, scheme, language);
        await page.Page.Locator("input[name=name]").FillAsync("li");
        await page.Page.Locator("input[name=password]").FillAsync(OfficeServer.Password);
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Page.Locator("h1")).ToHaveTextAsync("li");
        Assert.Equal(0, await page.Page.Locator("a[href=console]").CountAsync());
        await page.Page.Locator("input[name=label]").FillAsync("Open WebUI");
        await page.Page.Locator("form[action='account/keys'] button").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".office-secret code")).ToContainTextAsync("psy_");
        await LookAsync(page, $"account-{width}");
        await page.Page.Locator("form[action='sign-out'] button").ClickAsync();
        await Assertions.Expect(page.Page.Locator("input[name=password]")).ToBeVisibleAsync();
        await page.Page.GotoAsync(server.Address + "/account");
        await Assertions.Expect(page.Page.Locator("input[name=password]")).ToBeVisibleAsync();
        Assert.Empty(page.Problems);
    }

    /// <summary>A person in danger at one server, a counsellor at another or the same; neither page is loaded again.</summary>
    private async Task AnswerAndCloseAsync(OfficeServer here, OfficeServer there, int width, ColorScheme scheme)
    {
        await here.AddAsync("li", AccountRole.Client);
        await here.AddAsync("wang", AccountRole.Counsellor);
        await using var person = await chromium.OpenOfficeAsync(here.Address, "/", width, scheme, "zh-CN");
        await SignInAsync(person, "li");
        await Assertions.Expect(person.Page.Locator("#start")).ToBeEnabledAsync();
        await person.EnterAsync(0, keeps: true);
        await person.AskAsync("我不想活了，药已经买好了");
        await Assertions.Expect(person.Page.Locator("#at-risk")).ToBeVisibleAsync();
        await person.Page.EvaluateAsync("window.isFirstLoad = true");

        await using var counsellor = await chromium.OpenOfficeAsync(there.Address, "/console", width, scheme, "zh-CN");
        await SignInAsync(counsellor, "wang");
        await counsellor.Page.Locator(".call button").ClickAsync();
        var words = person.Page.Locator(".reply-counsellor .prose");
        string[] answers = ["我是咨询员小王，我看到你的话了。现在有谁在你身边？", "我就在这儿。先把药交给室友，好吗？"];
        for (var i = 0; i < answers.Length; i++)
        {
            await counsellor.Page.Locator("#answer").FillAsync(answers[i]);
            await counsellor.Page.Locator(".answer [type=submit]").ClickAsync();
            await Assertions.Expect(counsellor.Page.Locator("#answer")).ToHaveValueAsync("");
            await Assertions.Expect(words).ToHaveTextAsync(answers[..(i + 1)], new LocatorAssertionsToHaveTextOptions { Timeout = 15_000 });
        }

        await Assertions.Expect(words.Last).ToBeInViewportAsync();
        await LookAsync(person, $"counsellor-reply-{width}");

        // The person answers, the counsellor reads it and lifts the danger; what was written stays on the page.
        await person.AskAsync("药给室友了");
        await Assertions.Expect(counsellor.Page.Locator(".talk")).ToContainTextAsync("药给室友了");
        await counsellor.Page.Locator(".answer .office-second").ClickAsync();
        await counsellor.Page.Locator(".answer .office-second").ClickAsync();
        await Assertions.Expect(counsellor.Page.Locator(".call")).ToHaveCountAsync(0);
        await Assertions.Expect(words).ToHaveTextAsync(answers);
        Assert.True(await person.Page.EvaluateAsync<bool>("window.isFirstLoad"));
        Assert.Empty(person.ForeignRequests);
        Assert.Empty(person.Problems);
    }

    private static async Task SignInAsync(PageProbe page, string name)
    {
        await page.Page.Locator("input[name=name]").FillAsync(name);
        await page.Page.Locator("input[name=password]").FillAsync(OfficeServer.Password);
        await page.Page.Keyboard.PressAsync("Enter");
    }

    /// <summary>Nothing sticks out, and axe-core finds nothing.</summary>
    private static async Task LookAsync(PageProbe page, string name)
    {
        await page.ExpectNoSidewaysScrollAsync();
        Assert.Empty(await page.AccessFaultsAsync());
        if (PageProbe.Pictures is { } folder)
        {
            await page.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }
}
