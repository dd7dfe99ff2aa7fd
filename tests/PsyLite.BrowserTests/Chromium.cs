using Microsoft.Playwright;

namespace PsyLite.BrowserTests;

/// <summary>One real Chromium for all tests; nothing is downloaded, and it speaks to nobody but the server under test.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        // Generous, for machines that do much else at the same time.
        Assertions.SetDefaultExpectTimeout(60_000);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
        });
    }

    /// <summary>A page of its own context, ready to type in.</summary>
    public async Task<PageProbe> OpenAsync(string address, int width = 1280, int height = 800, ColorScheme scheme = ColorScheme.Light)
    {
        var probe = await NewAsync(address, width, height, scheme);
        await probe.LoadAsync();
        return probe;
    }

    /// <summary>A page beside the conversation, in this language.</summary>
    public async Task<PageProbe> OpenOfficeAsync(string address, string path, int width, ColorScheme scheme, string language)
    {
        var probe = await NewAsync(address, width, 844, scheme);
        await probe.Page.Context.AddCookiesAsync([new Cookie { Name = "lang", Value = language, Url = address }]);
        await probe.Page.GotoAsync(address + path);
        return probe;
    }

    /// <summary>A file from disk in a page of its own.</summary>
    public async Task<PageProbe> OpenFileAsync(string path, int width, ColorScheme scheme)
    {
        var address = new Uri(path).AbsoluteUri;
        var probe = await NewAsync(address, width, 800, scheme);
        await probe.Page.GotoAsync(address);
        return probe;
    }

    /// <summary>A page of its own context that has not been anywhere yet.</summary>
    public async Task<PageProbe> NewAsync(string address, int width, int height, ColorScheme scheme)
    {
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = height }, ColorScheme = scheme });
        context.SetDefaultTimeout(60_000);
        return new PageProbe(await context.NewPageAsync(), address);
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
    }
}

[CollectionDefinition(Name)]
public sealed class BrowserCollection : ICollectionFixture<Chromium>
{
    public const string Name = "browser";
}
