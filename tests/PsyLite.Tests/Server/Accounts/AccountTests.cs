using System.Diagnostics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using PsyLite.Server;
using PsyLite.Server.Accounts;
using PsyLite.Store.Accounts;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.Server.Accounts;

/// <summary>The way in: nobody without an account, nobody by guessing, nobody with somebody else's session.</summary>
public sealed class AccountTests
{
    private static readonly ServerSetup Setup = new() { HasAccounts = true };

    private static Task<RunningServer> StartAsync(ServerSetup? setup = null) => RunningServer.StartAsync(ScriptedChatClient.Saying("好。"), setup ?? Setup);

    [Fact]
    public async Task Without_an_account_nothing_is_served_but_the_way_in()
    {
        await using var server = await StartAsync();
        using var visitor = new Visitor(server);
        var page = await visitor.GetAsync("/");
        Assert.Equal(HttpStatusCode.Redirect, page.StatusCode);
        Assert.StartsWith("/sign-in", page.Headers.Location!.PathAndQuery);

        // Every route that there is, as it is served, so that none can be forgotten.
        var open = new List<string>();
        foreach (var endpoint in server.Endpoints.OfType<RouteEndpoint>())
        {
            var path = "/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(s => s.Parts[0] is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content : "psylite"));
            foreach (var method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), path);
                using var response = await server.Http.SendAsync(request);
                if ((int)response.StatusCode is not (401 or 403 or 302))
                {
                    open.Add($"{method} {path}");
                    Assert.NotNull(endpoint.Metadata.GetMetadata<IAllowAnonymous>());
                }
            }
        }

        Assert.DoesNotContain(open, o => o.Contains("/v1") || o.Contains("/api") || o.Contains("/me") || o.Contains("/console") || o.Contains("/account") || o.Contains("/metrics") || o.Contains("_blazor"));
        Assert.Contains("GET /healthz", open);
        Assert.DoesNotContain("scripted", await (await server.Http.GetAsync("/readyz")).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_session_begins_with_the_password_and_ends_everywhere_with_the_sign_out()
    {
        await using var server = await StartAsync();
        await Visitor.AddAsync(server, "wang", AccountRole.Counsellor);
        using var visitor = new Visitor(server);
        Assert.Equal(HttpStatusCode.Unauthorized, (await visitor.SignInAsync("wang", "wrong wrong 1")).StatusCode);
        Assert.Null(visitor.Session);
        var entered = await visitor.SignInAsync("WANG", to: "/account");
        Assert.Equal("/account", entered.Headers.Location!.OriginalString);
        Assert.Contains("wang", await visitor.ReadAsync("/account"));
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/console")).StatusCode);
        var cookie = entered.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith(AccountSetup.Cookie, StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);

        // A copy of the cookie in another browser works until the sign-out, and not after it.
        using var thief = new Visitor(server);
        thief.Cookies.Add(new Cookie(AccountSetup.Cookie, visitor.Session, "/", "127.0.0.1"));
        Assert.Contains("wang", await thief.ReadAsync("/account"));
        Assert.Equal(HttpStatusCode.Redirect, (await visitor.PostAsync("/account", "/sign-out", [])).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await thief.GetAsync("/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await visitor.GetAsync("/account")).StatusCode);
    }

    [Fact]
    public async Task A_session_that_was_there_before_the_sign_in_is_worth_nothing()
    {
        await using var server = await StartAsync();
        await Visitor.AddAsync(server, "wang");
        using var visitor = new Visitor(server);
        visitor.Cookies.Add(new Cookie(AccountSetup.Cookie, "chosen-by-somebody-else", "/", "127.0.0.1"));
        Assert.Equal(HttpStatusCode.Redirect, (await visitor.GetAsync("/account")).StatusCode);
        await visitor.SignInAsync("wang");
        var first = visitor.Session;
        Assert.NotEqual("chosen-by-somebody-else", first);
        await visitor.PostAsync("/account", "/sign-out", []);
        await visitor.SignInAsync("wang");
        Assert.NotEqual(first, visitor.Session);

        // A session sealed with another server's key opens nothing here.
        await using var other = await StartAsync();
        await Visitor.AddAsync(other, "wang");
        using var guest = new Visitor(other);
        guest.Cookies.Add(new Cookie(AccountSetup.Cookie, visitor.Session, "/", "127.0.0.1"));
        Assert.Equal(HttpStatusCode.Redirect, (await guest.GetAsync("/account")).StatusCode);
    }

    [Fact]
    public async Task Guessing_ends_in_a_lock_and_tells_no_names()
    {
        await using var server = await StartAsync();
        await Visitor.AddAsync(server, "wang");
        using var visitor = new Visitor(server);
        var known = new List<(HttpStatusCode Status, string Text)>();
        var unknown = new List<(HttpStatusCode Status, string Text)>();
        for (var i = 0; i < 6; i++)
        {
            known.Add(await TellAsync(await visitor.SignInAsync("wang", $"guess number {i}")));
            unknown.Add(await TellAsync(await visitor.SignInAsync("nobody", $"guess number {i}")));
        }

        Assert.Equal(unknown.Select(u => u.Text.Replace("nobody", "wang", StringComparison.Ordinal)), known.Select(k => k.Text));
        Assert.All(known, k => Assert.Equal(HttpStatusCode.Unauthorized, k.Status));

        // Locked: the right password is none either.
        Assert.Equal(HttpStatusCode.Unauthorized, (await visitor.SignInAsync("wang")).StatusCode);
        var rest = new List<HttpStatusCode>();
        for (var i = 0; i < 8; i++)
        {
            rest.Add((await visitor.SignInAsync("wang", "again and again")).StatusCode);
        }

        Assert.Contains(HttpStatusCode.TooManyRequests, rest);

        static async Task<(HttpStatusCode, string)> TellAsync(HttpResponseMessage response) =>
            (response.StatusCode, System.Text.RegularExpressions.Regex.Replace(await response.Content.ReadAsStringAsync(), "value=\"[\\w-]{40,}\"", ""));
    }

    [Fact]
    public async Task An_unknown_name_costs_as_much_time_as_a_known_one()
    {
        await using var server = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await Visitor.AddAsync(server, $"known{i}");
        }

        using var visitor = new Visitor(server);
        await visitor.SignInAsync("warm", "warming up the code");
        var known = new List<double>();
        var unknown = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            known.Add(await TimeAsync($"known{i % 3}"));
            unknown.Add(await TimeAsync($"stranger{i % 3}"));
        }

        // 210,000 rounds are tens of milliseconds; without them an answer takes one or two.
        Assert.InRange(unknown.Order().ElementAt(2) / known.Order().ElementAt(2), 0.4, 2.5);

        async Task<double> TimeAsync(string name)
        {
            var watch = Stopwatch.StartNew();
            (await visitor.SignInAsync(name, "not the password")).Dispose();
            return watch.Elapsed.TotalMilliseconds;
        }
    }

    [Fact]
    public async Task Forms_of_other_pages_are_refused()
    {
        await using var server = await StartAsync();
        await Visitor.AddAsync(server, "wang");
        using var visitor = new Visitor(server);
        await visitor.SignInAsync("wang");
        Assert.Equal(HttpStatusCode.BadRequest, (await visitor.PostAsync("/account", "/account/keys", new() { ["label"] = "x" }, token: "made-up")).StatusCode);

        // The token of one visitor is none of another's.
        using var other = new Visitor(server);
        var token = System.Text.RegularExpressions.Regex.Match(await other.ReadAsync("/sign-in"), "Token\" value=\"([^\"]+)").Groups[1].Value;
        Assert.Equal(HttpStatusCode.BadRequest, (await visitor.PostAsync("/account", "/account/keys", new() { ["label"] = "x" }, token)).StatusCode);
        Assert.Empty(await server.Book!.KeysAsync((await server.Book.FindByNameAsync("wang", default))!.Id, default));
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/me?confirm=everything") { Headers = { { "Cookie", $"{AccountSetup.Cookie}={visitor.Session}" }, { "Sec-Fetch-Site", "cross-site" } } };
        Assert.Equal(HttpStatusCode.Forbidden, (await server.Http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task A_sign_in_leads_to_our_own_pages_only()
    {
        await using var server = await StartAsync();
        await Visitor.AddAsync(server, "wang");
        foreach (var to in new[] { "https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)" })
        {
            using var visitor = new Visitor(server);
            Assert.Equal("/", (await visitor.SignInAsync("wang", to: to)).Headers.Location!.OriginalString);
        }
    }

    [Fact]
    public async Task Keys_are_shown_once_work_for_their_account_and_can_be_revoked()
    {
        await using var server = await StartAsync();
        await Visitor.AddAsync(server, "wang");
        using var visitor = new Visitor(server);
        await visitor.SignInAsync("wang");
        var page = WebUtility.HtmlDecode(await (await visitor.PostAsync("/account", "/account/keys", new() { ["label"] = "Open WebUI" })).Content.ReadAsStringAsync());
        var key = System.Text.RegularExpressions.Regex.Match(page, "psy_[a-z0-9]{8}_[\\w-]{43}").Value;
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "/v1/models", key: key)).Status);
        Assert.DoesNotContain(key, await visitor.ReadAsync("/account"));
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "/v1/models", key: key[..^1] + (key[^1] == 'A' ? 'B' : 'A'))).Status);
        Assert.Equal(403, (await server.SendAsync(HttpMethod.Post, "/psylite/valves/update", new { humour = false }, key)).Status);
        Assert.Equal(403, (await server.SendAsync(HttpMethod.Post, "/api/pull", new { model = "x" }, key)).Status);
        await visitor.PostAsync("/account", "/account/keys/revoke", new() { ["id"] = key.Substring(4, 8) });
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "/v1/models", key: key)).Status);
    }

    [Fact]
    public async Task A_disabled_account_is_out_at_once_with_its_keys()
    {
        await using var server = await StartAsync();
        var key = await Visitor.KeyAsync(server, "wang", AccountRole.Admin);
        using var visitor = new Visitor(server);
        await visitor.SignInAsync("wang");
        Assert.Equal(HttpStatusCode.OK, (await visitor.GetAsync("/account")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/metrics", key)).StatusCode);
        var account = (await server.Book!.FindByNameAsync("wang", default))!;
        (account.IsDisabled, account.Stamp) = (true, "other");
        Assert.True(await server.Book.ChangeAsync(account, default));
        Assert.Equal(HttpStatusCode.Redirect, (await visitor.GetAsync("/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync("/metrics", key)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await visitor.SignInAsync("wang")).StatusCode);

        async Task<HttpResponseMessage> GetAsync(string path, string bearer)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = new("Bearer", bearer) } };
            return await server.Http.SendAsync(request);
        }
    }

    [Fact]
    public async Task Clients_do_not_see_the_console()
    {
        await using var server = await StartAsync();
        await Visitor.AddAsync(server, "li");
        using var visitor = new Visitor(server);
        await visitor.SignInAsync("li");
        Assert.Equal(HttpStatusCode.Forbidden, (await visitor.GetAsync("/console")).StatusCode);
    }

    [Fact]
    public async Task The_server_s_own_key_still_opens()
    {
        await using var server = await StartAsync(Setup with { ApiKey = "key-of-the-server" });
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "/v1/models", key: "key-of-the-server")).Status);
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "/v1/models", key: "key-of-the-serveR")).Status);
    }

    [Fact]
    public async Task A_stolen_database_tells_no_name_no_hash_and_no_key()
    {
        using var folder = new TemporaryFolder();
        await using (var server = await StartAsync(Setup with { Store = folder["psylite.db"] }))
        {
            var key = await Visitor.KeyAsync(server, "wang-xiaoming");
            using var visitor = new Visitor(server);
            await visitor.SignInAsync("wang-xiaoming");
            await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", new { model = "psylite", conversation_id = "diary", messages = new[] { new { role = "user", content = "今天很累很累" } } }, key);
            await server.Store.FlushAsync();
            var account = (await server.Book!.FindByNameAsync("wang-xiaoming", default))!;
            var bytes = Stores.Bytes(folder["psylite.db"]);
            Assert.True(bytes.Length > 4096);
            foreach (var secret in new[] { "wang-xiaoming", account.PasswordHash!, account.Stamp, key[13..], "今天很累很累", "diary" })
            {
                Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, secret);
            }
        }
    }
}
