using System.Net;
using System.Text.RegularExpressions;
using PsyLite.Server.Accounts;
using PsyLite.Store.Accounts;

namespace PsyLite.Tests.Server.Accounts;

/// <summary>A browser without scripts: keeps cookies and fills in forms.</summary>
internal sealed partial class Visitor : IDisposable
{
    private readonly HttpClient _http;

    public Visitor(RunningServer server)
    {
        Cookies = new CookieContainer();
        _http = new HttpClient(new HttpClientHandler { CookieContainer = Cookies, AllowAutoRedirect = false }) { BaseAddress = new Uri(server.Address) };
        _http.DefaultRequestHeaders.Add("Accept", "text/html");
    }

    public const string Password = "correct horse 7";

    public CookieContainer Cookies { get; }

    public string? Session => Cookies.GetAllCookies().FirstOrDefault(c => c.Name == AccountSetup.Cookie)?.Value;

    public static async Task<Account> AddAsync(RunningServer server, string name, AccountRole role = AccountRole.Client)
    {
        var account = new Account { Name = name, Role = role };
        Passwords.Set(account, Password);
        Assert.True(await server.Book!.AddAsync(account, default));
        return account;
    }

    public static async Task<string> KeyAsync(RunningServer server, string name, AccountRole role = AccountRole.Client) =>
        (await server.Book!.AddKeyAsync((await AddAsync(server, name, role)).Id, "test", default)).ToString();

    public Task<HttpResponseMessage> GetAsync(string path) => _http.GetAsync(path);

    public async Task<string> ReadAsync(string path)
    {
        using var response = await _http.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync());
    }

    /// <summary>Fills in a form of a page and sends it.</summary>
    /// <param name="token">The proof that the form is ours; null takes it from the page.</param>
    public async Task<HttpResponseMessage> PostAsync(string page, string action, Dictionary<string, string> fields, string? token = null)
    {
        token ??= Token().Match(await ReadAsync(page)).Groups[1].Value;
        return await _http.PostAsync(action, new FormUrlEncodedContent(new Dictionary<string, string>(fields) { ["__RequestVerificationToken"] = token }));
    }

    public Task<HttpResponseMessage> SignInAsync(string name, string password = Password, string to = "/") =>
        PostAsync("/sign-in", "/sign-in", new() { ["name"] = name, ["password"] = password, ["to"] = to });

    public void Dispose() => _http.Dispose();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
