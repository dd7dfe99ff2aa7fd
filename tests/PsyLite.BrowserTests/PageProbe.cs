using Microsoft.Playwright;

namespace PsyLite.BrowserTests;

/// <summary>The page as a person meets it: types, waits for replies, reads them.</summary>
public sealed class PageProbe : IAsyncDisposable
{
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

    public IPage Page { get; }

    /// <summary>Requests that went to another place than the server.</summary>
    public IEnumerable<string> ForeignRequests => _requests.Where(r => !r.StartsWith(_address, StringComparison.Ordinal) && !r.StartsWith("data:", StringComparison.Ordinal) && r != "about:blank");

    /// <summary>Script errors and refused content.</summary>
    public IReadOnlyList<string> Problems => _problems;

    public ILocator Replies => Page.Locator(".reply");

    public ILocator LastReply => Page.Locator(".reply").Last;

    public ILocator Field => Page.Locator("#message");

    public async Task LoadAsync()
    {
        await Page.GotoAsync(_address);
        await Assertions.Expect(Page.Locator("#send")).ToBeEnabledAsync();
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

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}
