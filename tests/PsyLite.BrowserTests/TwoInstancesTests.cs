using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;
using PsyLite.Options;
using PsyLite.Server.Accounts;
using PsyLite.Store;
using PsyLite.Store.Accounts;
using PsyLite.Store.Conversations;
using PsyLite.Tests.Store;

namespace PsyLite.BrowserTests;

/// <summary>Two server processes on one PostgreSQL, as docs/scale-out.md has them: what is done at one of them holds at the other.</summary>
[Collection(BrowserCollection.Name)]
public sealed class TwoInstancesTests(Chromium chromium) : IAsyncLifetime
{
    private const string Danger = "我不想活了，药已经买好了";
    private readonly PostgresServer _postgres = new();
    private readonly TemporaryFolder _folder = new();
    private StoreHost _store = null!;
    private ServedProgram _here = null!;
    private ServedProgram _there = null!;

    public async Task InitializeAsync()
    {
        await _postgres.InitializeAsync();
        var options = new AppOptions { Store = await _postgres.CreateAsync(), StoreKeyFile = _folder["server.key"] };
        _store = new StoreHost(options, TimeProvider.System, _ => { });
        await _store.AccountsAsync();
        var settings = new Dictionary<string, string>
        {
            ["PSYLITE_STORE"] = options.Store,
            ["PSYLITE_STORE_KEY_FILE"] = _folder["server.key"],
            ["PSYLITE_ACCOUNTS"] = "on",
        };
        _here = await ServedProgram.StartAsync(settings);
        _there = await ServedProgram.StartAsync(settings);
    }

    public async Task DisposeAsync()
    {
        foreach (var server in new[] { _here, _there })
        {
            await (server?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        await (_store?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_is_done_at_one_instance_holds_at_the_other()
    {
        await AddAsync("wang", AccountRole.Counsellor);
        var person = await AddAsync("li", AccountRole.Client);
        var key = (await (await _store.AccountsAsync()).AddKeyAsync(person.Id, "test", default)).ToString();
        Assert.Contains("12356", await SayAsync(_here, key, "t1", Danger));
        Assert.Contains("12356", await SayAsync(_there, key, "t1", Danger));

        // The counsellor lifts the danger at the other instance than the one that heard of it.
        await using var page = await chromium.OpenOfficeAsync(_there.Address, "/console", 1280, ColorScheme.Light, "zh-CN");
        await page.Page.Locator("input[name=name]").FillAsync("wang");
        await page.Page.Locator("input[name=password]").FillAsync(OfficeServer.Password);
        await page.Page.Keyboard.PressAsync("Enter");
        await page.Page.Locator(".call button").ClickAsync();
        await page.Page.Locator(".answer .office-second").ClickAsync();
        await page.Page.Locator(".answer .office-second").ClickAsync();
        await Assertions.Expect(page.Page.Locator(".call")).ToHaveCountAsync(0);
        foreach (var (server, turn) in new[] { (_here, "t2"), (_there, "t3"), (_here, "t4") })
        {
            Assert.DoesNotContain("12356", await SayAsync(server, key, turn, "今天吃了碗面，味道还行"));
        }

        Assert.Empty(await _store.TicketsAsync(default));
        var (stored, _) = await StoredAsync(person.Id);
        Assert.Equal((false, 1, 4), (stored.AwaitsClearing, stored.Episodes, stored.Turns));

        // A request that is sent again reaches the other instance while the first one still runs it.
        for (var i = 0; i < 6; i++)
        {
            var said = i == 5 ? Danger : "周末想出去走走，不知道去哪";
            var first = SayAsync(i % 2 == 0 ? _here : _there, key, $"r{i}", said);
            await Task.Delay(15 * i);
            var again = SayAsync(i % 2 == 0 ? _there : _here, key, $"r{i}", said);
            Assert.Equal(await first, await again);
        }

        var (after, messages) = await StoredAsync(person.Id);
        Assert.Equal((2, 10), (after.Episodes, after.Turns));
        Assert.All(messages.GroupBy(m => m.TurnId), turn => Assert.Equal([Author.Person, Author.Program], turn.Select(m => m.Author)));
        Assert.All(messages, m => Assert.Equal(MessageStage.Committed, m.Stage));
        Assert.Single(await _store.TicketsAsync(default));
    }

    private async Task<Account> AddAsync(string name, AccountRole role)
    {
        var account = new Account { Name = name, Role = role };
        Passwords.Set(account, OfficeServer.Password);
        Assert.True(await (await _store.AccountsAsync()).AddAsync(account, default));
        return account;
    }

    private async Task<(PsyLite.Agent.ConversationState State, IReadOnlyList<StoredMessage> Messages)> StoredAsync(string owner)
    {
        var store = await _store.Lasting.OpenAsync();
        var summary = Assert.Single(await store.ListAsync(owner, 0, 10, default));
        var stored = (await store.OpenAsync(owner, summary.Id, default))!;
        return (stored.State, stored.Messages);
    }

    private static async Task<string> SayAsync(ServedProgram server, string key, string turn, string text)
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Address), DefaultRequestHeaders = { Authorization = new("Bearer", key) } };
        using var response = await http.PostAsJsonAsync(
            "/v1/chat/completions", new { model = "psylite", conversation_id = "night", turn_id = turn, max_tokens = 40, messages = new[] { new { role = "user", content = text } } });
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }
}
