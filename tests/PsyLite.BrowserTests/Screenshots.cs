using Microsoft.Playwright;
using PsyLite.Store.Accounts;
using PsyLite.Tests.Server;
using PsyLite.Tests.Store;

namespace PsyLite.BrowserTests;

/// <summary>
/// The pictures of the documentation, taken of the real page: <c>PSYLITE_SCREENSHOTS=docs/images dotnet test tests/PsyLite.BrowserTests --filter Screenshots</c>.
/// Without the variable they go to a temporary folder, and the test says that every view can be shown.
/// </summary>
[Collection(BrowserCollection.Name)]
public sealed class Screenshots(Chromium chromium) : IDisposable
{
    /// <summary>The views that the documentation shows; the others are only looked at.</summary>
    private static readonly string[] Shown =
    [
        "page-desktop-light", "page-desktop-light-welcome", "page-desktop-light-settings", "page-desktop-light-check-ins",
        "page-desktop-dark", "page-desktop-dark-history", "page-desktop-dark-settings", "page-desktop-dark-check-ins",
        "page-phone-light", "page-phone-light-welcome", "page-phone-light-questions", "page-phone-light-settings", "page-phone-light-check-ins",
        "page-phone-dark", "page-phone-dark-crisis", "page-phone-dark-crosstalk", "page-phone-dark-history", "page-phone-dark-help", "page-phone-dark-settings", "page-phone-dark-check-ins",
        "console-desktop-light-queue", "console-desktop-light-talk", "console-desktop-dark-queue", "console-desktop-dark-talk",
        "console-phone-light-queue", "console-phone-light-talk", "console-phone-dark-queue", "console-phone-dark-talk",
    ];

    private static readonly Dictionary<string, string> Replies = new()
    {
        ["睡不着"] = "白天一直绷着，夜里脑子还停不下来，难怪累成这样。\n\n躺下以后，最先冒出来的是哪件事？要是一时说不清，从今天最让你皱眉的那一刻讲起也行。",
        ["开会"] = "原来是明天的会。担心讲砸，其实是很在意这件事。\n\n可以先做一小步：把最怕被问到的那个问题写下来，旁边写一句你会怎么答。写完就合上本子，今天到这儿。",
        ["升职"] = "真为你高兴！熬了这么久，这一声“升职了”听着就踏实。你最想先告诉谁？",
    };

    private readonly TemporaryFolder _temporary = new();

    private string Folder => Environment.GetEnvironmentVariable("PSYLITE_SCREENSHOTS") is { Length: > 0 } named
        ? Path.GetFullPath(named, Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../..")))
        : _temporary[""];

    public void Dispose() => _temporary.Dispose();

    [Theory]
    [InlineData("desktop-light", 1280, 800, ColorScheme.Light)]
    [InlineData("desktop-dark", 1280, 800, ColorScheme.Dark)]
    [InlineData("phone-light", 390, 844, ColorScheme.Light)]
    [InlineData("phone-dark", 390, 844, ColorScheme.Dark)]
    public async Task Every_view_is_pictured(string name, int width, int height, ColorScheme scheme)
    {
        var model = new ScriptedChatClient(asked => ["<think>先听懂，再问一个小问题。</think>", Replies.First(r => asked[^1].Text.Contains(r.Key, StringComparison.Ordinal)).Value]);
        await using var server = await ScriptedServer.StartAsync(model);
        await using var page = await chromium.NewAsync(server.Address, width, height, scheme);
        await page.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ReducedMotion = ReducedMotion.Reduce, ColorScheme = scheme });
        await page.VisitAsync();
        await TakeAsync(page, $"page-{name}-welcome");
        await page.EnterAsync(0, keeps: true);
        await TakeAsync(page, $"page-{name}-greeting");
        await page.AskAsync("最近工作压力很大，晚上总是睡不着，白天又没精神。");
        await page.AskAsync("明天要开会，我怕又讲不好");
        await TakeAsync(page, $"page-{name}");
        await page.StartAnewAsync();
        await page.AskAsync("今天升职了，太开心啦哈哈");
        await page.LastReply.Locator(".crosstalk summary").ClickAsync();
        await TakeAsync(page, $"page-{name}-crosstalk");
        await page.Page.Locator("#menu").ClickAsync();
        await Assertions.Expect(page.Page.Locator("#drawer .entry.title")).ToHaveCountAsync(2);
        await TakeAsync(page, $"page-{name}-history");
        await page.Page.Locator("#to-settings").ClickAsync();
        await TakeAsync(page, $"page-{name}-settings");
        await page.ChooseAsync("#to-check-ins");
        foreach (var mood in new[] { "3", "5", "4", "7" })
        {
            await page.Page.Locator("#mood").FillAsync(mood);
            await page.Page.Locator("#keep-mood").ClickAsync();
            await Assertions.Expect(page.Page.Locator("#mood-status")).ToHaveTextAsync("记下了。");
            await Task.Delay(300);
        }

        await Assertions.Expect(page.Page.Locator("#trend canvas").First).ToBeVisibleAsync();
        await TakeAsync(page, $"page-{name}-check-ins");
        await page.Page.Locator("#phq9").ClickAsync();
        await TakeAsync(page, $"page-{name}-questions");
        await page.GoBackAsync(1);
        await page.StartAnewAsync();
        await page.AskAsync("我不想活了，药已经买好了");
        await TakeAsync(page, $"page-{name}-crisis");
        await page.Page.Locator("#help-button").ClickAsync();
        await TakeAsync(page, $"page-{name}-help");
    }

    [Theory]
    [InlineData("desktop-light", 1280, 800, ColorScheme.Light)]
    [InlineData("desktop-dark", 1280, 800, ColorScheme.Dark)]
    [InlineData("phone-light", 390, 844, ColorScheme.Light)]
    [InlineData("phone-dark", 390, 844, ColorScheme.Dark)]
    public async Task The_console_is_pictured(string name, int width, int height, ColorScheme scheme)
    {
        await using var server = await OfficeServer.StartAsync(ScriptedChatClient.Saying("我在听，你慢慢说。"));
        await server.AddAsync("wang", AccountRole.Counsellor);
        foreach (var (person, text) in new[] { ("a", "活着没什么意思，不如消失算了"), ("b", "我今晚就要从楼顶跳下去"), ("c", "我不想活了，药已经买好了") })
        {
            await server.SayAsync(await server.KeyAsync(person), "talk-" + person, text);
        }

        await using var page = await chromium.NewAsync(server.Address, width, height, scheme);
        await page.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ReducedMotion = ReducedMotion.Reduce, ColorScheme = scheme });
        await page.Page.GotoAsync(server.Address + "/console");
        await page.Page.Locator("input[name=name]").FillAsync("wang");
        await page.Page.Locator("input[name=password]").FillAsync(OfficeServer.Password);
        await page.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Page.Locator(".figures tbody tr")).Not.ToHaveCountAsync(0);
        await TakeAsync(page, $"console-{name}-queue");
        var call = page.Page.Locator(".call").First;
        await call.GetByRole(AriaRole.Button).ClickAsync();
        await page.Page.Locator("#answer").FillAsync("我是咨询员小王，我看到你的话了。现在有谁在你身边？");
        await page.Page.Locator(".answer [type=submit]").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".talk-mine p")).ToBeVisibleAsync();
        await TakeAsync(page, $"console-{name}-talk");
    }

    private async Task TakeAsync(PageProbe page, string name)
    {
        await page.Page.Mouse.MoveAsync(1, 400);
        await Task.Delay(150);
        var picture = await page.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Shown.Contains(name) ? Path.Combine(Folder, name + ".png") : null });
        Assert.True(picture.Length > 8_000, $"{name} shows next to nothing");
    }
}
