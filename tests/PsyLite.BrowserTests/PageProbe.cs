using Microsoft.Playwright;

namespace PsyLite.BrowserTests;

/// <summary>The page as a person meets it: types, waits for replies, reads them.</summary>
public sealed class PageProbe : IAsyncDisposable
{
    private static readonly string Axe = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "axe.min.js"));
    private readonly List<string> _requests = [];
    private readonly List<string> _problems = [];
    private readonly string _address;

    public PageProbe(IPage page, string address)
    {
        Page = page;
        _address = address;
        page.Request += (_, r) => _requests.Add(r.Url);
        page.Console += (_, m) =>
        {
            if (m.Type == "error")
            {
                _problems.Add(m.Text);
            }
        };
        page.PageError += (_, e) => _problems.Add(e);
    }

    /// <summary>Folder for pictures of pages, for people to look at; null makes none. Environment: PSYLITE_PICTURES.</summary>
    public static string? Pictures => Environment.GetEnvironmentVariable("PSYLITE_PICTURES") is { Length: > 0 } folder ? folder : null;

    public IPage Page { get; }

    /// <summary>Requests that went to another place than the server.</summary>
    public IEnumerable<string> ForeignRequests => _requests.Where(r => !r.StartsWith(_address, StringComparison.Ordinal) && !r.StartsWith("data:", StringComparison.Ordinal) && r != "about:blank");

    /// <summary>Script errors and refused content.</summary>
    public IReadOnlyList<string> Problems => _problems;

    public ILocator Replies => Page.Locator(".reply");

    public ILocator LastReply => Page.Locator(".reply").Last;

    public ILocator Field => Page.Locator("#message");

    /// <summary>Opens the page; whoever is new there says that they are grown up and want conversations kept.</summary>
    public async Task LoadAsync()
    {
        await VisitAsync();
        if (await Page.Locator("#start").IsVisibleAsync())
        {
            await EnterAsync(0, keeps: true);
        }
    }

    /// <summary>Opens the page and waits until it answers.</summary>
    public async Task VisitAsync()
    {
        await Page.GotoAsync(_address);
        await Assertions.Expect(Page.Locator("#start:enabled:visible, #send:enabled:visible, #stop:visible")).ToHaveCountAsync(1);
    }

    /// <summary>Answers the questions of the first visit. Ages: 0 grown up, 1 from 14 to 17, 2 under 14.</summary>
    public async Task EnterAsync(int age, bool keeps)
    {
        await Page.Locator(".ages input").Nth(age).CheckAsync();
        await Page.Locator(keeps ? "#keep" : "#keep-not").CheckAsync();
        await Page.Locator("#start").ClickAsync();
        await Assertions.Expect(Field).ToBeVisibleAsync();
    }

    /// <summary>Begins a new conversation.</summary>
    public async Task StartAnewAsync()
    {
        await Page.Locator("#anew").ClickAsync();
        await Assertions.Expect(Replies).ToHaveCountAsync(0);
    }

    /// <summary>From another view back to the conversation, which has so many replies.</summary>
    public async Task GoBackAsync(int replies)
    {
        await Page.Locator("#back").ClickAsync();
        await Assertions.Expect(Field).ToBeVisibleAsync();
        await Assertions.Expect(Replies).ToHaveCountAsync(replies);
    }

    /// <summary>Opens the drawer and presses what is in it.</summary>
    public async Task ChooseAsync(string selector)
    {
        await Page.Locator("#menu").ClickAsync();
        await Page.Locator($"#drawer {selector}").ClickAsync();
    }

    /// <summary>Types a message and presses Enter; does not wait for the reply.</summary>
    public async Task SayAsync(string text)
    {
        await Field.FillAsync(text);
        await Field.PressAsync("Enter");
    }

    /// <summary>Types a message, waits until its reply is finished and returns the reply's text.</summary>
    public async Task<string> AskAsync(string text)
    {
        var before = await Replies.CountAsync();
        await SayAsync(text);
        await Assertions.Expect(Page.Locator(".reply[data-stage=done]")).ToHaveCountAsync(before + 1);
        return await LastReply.Locator(".prose").InnerTextAsync();
    }

    public async Task ExpectNoSidewaysScrollAsync()
    {
        var (width, visible) = (await Page.EvaluateAsync<int>("document.documentElement.scrollWidth"), await Page.EvaluateAsync<int>("document.documentElement.clientWidth"));
        Assert.True(width <= visible, $"the page is {width} px wide in a window of {visible} px");
    }

    /// <summary>What axe-core finds wrong with the page as it stands, a line for each rule.</summary>
    public async Task<string[]> AccessFaultsAsync()
    {
        await Page.EvaluateAsync(Axe);
        return await Page.EvaluateAsync<string[]>("""
            async () => (await axe.run(document)).violations.map(v => `${v.id}: ${v.nodes.map(n => `${n.target} ${n.any[0]?.message ?? ""}`).slice(0, 4).join(" | ")}`)
            """);
    }

    /// <summary>Words of a drawing that lie over one another, or reach beyond its edge.</summary>
    public Task<string[]> DrawingFaultsAsync() => Page.EvaluateAsync<string[]>("""
        () => [...document.querySelectorAll("svg")].flatMap(svg => {
            const box = svg.getBoundingClientRect();
            const texts = [...svg.querySelectorAll("text")].map(t => ({ said: t.textContent, at: t.getBoundingClientRect() }));
            const cut = texts.filter(t => t.at.left < box.left - 1 || t.at.right > box.right + 1).map(t => `cut off: ${t.said}`);
            const over = texts.flatMap((a, i) => texts.slice(i + 1)
                .filter(b => Math.min(a.at.right, b.at.right) - Math.max(a.at.left, b.at.left) > 1 && Math.min(a.at.bottom, b.at.bottom) - Math.max(a.at.top, b.at.top) > 3)
                .map(b => `over one another: ${a.said} | ${b.said}`));
            return [...cut, ...over];
        })
        """);

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}
