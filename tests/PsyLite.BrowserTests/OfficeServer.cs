using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.AI;
using PsyLite.Options;
using PsyLite.Server;
using PsyLite.Server.Accounts;
using PsyLite.Store;
using PsyLite.Store.Accounts;
using PsyLite.Tests.Store;

namespace PsyLite.BrowserTests;

/// <summary>A server with accounts and a store of its own, as a clinic runs it.</summary>
internal sealed class OfficeServer : IAsyncDisposable
{
    public const string Password = "correct horse 7";
    private readonly WebApplication _app;
    private readonly Composition _parts;
    private readonly StoreHost _store;
    private readonly TemporaryFolder _folder;

    private OfficeServer(WebApplication app, Composition parts, StoreHost store, AccountBook book, TemporaryFolder folder) => (_app, _parts, _store, Book, _folder) = (app, parts, store, book, folder);

    public string Address => _app.Urls.First();

    public AccountBook Book { get; }

    /// <param name="shared">A database and a key file that several servers share; null makes a file of this server's own.</param>
    public static async Task<OfficeServer> StartAsync(IChatClient model, (string Store, string KeyFile)? shared = null)
    {
        var folder = new TemporaryFolder();
        var options = new AppOptions { Urls = "http://127.0.0.1:0", Accounts = true, Store = folder["psylite.db"], Valves = folder["valves.json"] };
        options = shared is var (place, key) ? options with { Store = place, StoreKeyFile = key } : options;
        var store = new StoreHost(options, TimeProvider.System, _ => { });
        var parts = Composition.Create(options, load: () => Task.FromResult(new LoadedModel(model, null, "scripted")), store: store);
        var book = await store.AccountsAsync();
        var app = PsyLiteServer.Build(parts, signIn: new SignInParts(book, new SealedSessions(await store.SessionsKeyAsync(default))));
        await app.StartAsync();
        parts.Model.Start();
        await parts.Model.Settled;
        return new OfficeServer(app, parts, store, book, folder);
    }

    public async Task<Account> AddAsync(string name, AccountRole role)
    {
        var account = new Account { Name = name, Role = role };
        Passwords.Set(account, Password);
        Assert.True(await Book.AddAsync(account, default));
        return account;
    }

    public async Task<string> KeyAsync(string name) => (await Book.AddKeyAsync((await AddAsync(name, AccountRole.Client)).Id, "test", default)).ToString();

    /// <summary>Says something in a recorded conversation over the API.</summary>
    public async Task SayAsync(string key, string conversation, string text)
    {
        using var http = new HttpClient { BaseAddress = new Uri(Address), DefaultRequestHeaders = { Authorization = new("Bearer", key) } };
        using var response = await http.PostAsync("/v1/chat/completions", System.Net.Http.Json.JsonContent.Create(
            new { model = "psylite", conversation_id = conversation, messages = new[] { new { role = "user", content = text } } }));
        response.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _parts.Dispose();
        await _store.DisposeAsync();
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }
}
