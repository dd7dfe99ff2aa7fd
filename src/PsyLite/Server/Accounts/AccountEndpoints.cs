using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using PsyLite.Store;
using PsyLite.Store.Accounts;
using PsyLite.Web.Accounts;

namespace PsyLite.Server.Accounts;

/// <summary>The way in and out, and what people settle about their own account. Plain forms: they work before any script has loaded.</summary>
internal static class AccountEndpoints
{
    private const long LongestForm = 16 << 10;
    private const int LongestLabel = 40;
    private const int MostKeys = 20;

    /// <summary>Where a sign-in may lead: nowhere but to our own pages.</summary>
    private static readonly string[] Pages = ["/", "/account", "/console"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var open = routes.MapGroup("").WithMetadata(new RequestSizeLimitAttribute(LongestForm)).AllowAnonymous();
        open.MapGet(AccountSetup.SignInPath, (HttpContext http, string? to) => http.User.Identity?.IsAuthenticated == true ? Results.LocalRedirect(PageOf(to)) : SignInPage(http, to, null, null));
        open.MapPost(AccountSetup.SignInPath, SignInAsync);
        var own = routes.MapGroup("").WithMetadata(new RequestSizeLimitAttribute(LongestForm));
        own.MapPost("/sign-out", SignOutAsync);
        own.MapGet("/account", (HttpContext http, AccountBook book) => AccountAsync(http, book, null, null));
        own.MapPost("/account/password", ChangePasswordAsync);
        own.MapPost("/account/keys", MakeKeyAsync);
        own.MapPost("/account/keys/revoke", RevokeAsync);
    }

    private static async Task<IResult> SignInAsync(
        HttpContext http, [FromForm] string name, [FromForm] string password, [FromForm] string? to, SignInGate gate, SignInManager<Account> manager, StoreHost store)
    {
        var outcome = await gate.SignInAsync(manager, name, password, http.Connection.RemoteIpAddress?.ToString() ?? "");
        store.Note(outcome == SignInOutcome.SignedIn ? "SignedIn" : "SignInRefused", outcome == SignInOutcome.TooMany ? "rate" : "password");
        var text = AccountText.Of(http.Request.Cookies["lang"]);
        switch (outcome)
        {
            case SignInOutcome.SignedIn:
                return Results.LocalRedirect(PageOf(to));
            case SignInOutcome.TooMany:
                http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                http.Response.Headers.RetryAfter = "60";
                return SignInPage(http, to, text.TooMany, name);
            default:
                http.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return SignInPage(http, to, text.Refused, name);
        }
    }

    /// <summary>Ends every session of the account: a cookie that somebody copied ends too.</summary>
    private static async Task<IResult> SignOutAsync(HttpContext http, [FromForm] string? all, UserManager<Account> users)
    {
        _ = all;
        if (await users.GetUserAsync(http.User) is { } account)
        {
            await users.UpdateSecurityStampAsync(account);
        }

        await http.SignOutAsync(IdentityConstants.ApplicationScheme);
        return Results.LocalRedirect(AccountSetup.SignInPath);
    }

    private static async Task<IResult> ChangePasswordAsync(
        HttpContext http, [FromForm] string current, [FromForm] string fresh, SignInManager<Account> manager, AccountBook book, StoreHost store)
    {
        var text = AccountText.Of(http.Request.Cookies["lang"]);
        if (await manager.UserManager.GetUserAsync(http.User) is not { } account
            || current.Length > Passwords.Longest || Passwords.Fault(account, fresh) is not null
            || !(await manager.CheckPasswordSignInAsync(account, current, lockoutOnFailure: true)).Succeeded)
        {
            return await AccountAsync(http, book, text.NotChanged, null);
        }

        Passwords.Set(account, fresh);
        await book.ChangeAsync(account, http.RequestAborted);
        store.Note("PasswordChanged", "person");
        await manager.SignInAsync(account, isPersistent: false);
        return await AccountAsync(http, book, text.Changed, null);
    }

    private static async Task<IResult> MakeKeyAsync(HttpContext http, [FromForm] string label, AccountBook book, StoreHost store)
    {
        var owner = Owner.Of(http.User);
        var known = await book.KeysAsync(owner, http.RequestAborted);
        if (known.Count >= MostKeys || label.Trim().Length is 0 or > LongestLabel)
        {
            return await AccountAsync(http, book, null, null);
        }

        var key = await book.AddKeyAsync(owner, label.Trim(), http.RequestAborted);
        store.Note("KeyMade", "person");
        return await AccountAsync(http, book, null, key.ToString());
    }

    private static async Task<IResult> RevokeAsync(HttpContext http, [FromForm] string id, AccountBook book, StoreHost store)
    {
        if (await book.RevokeKeyAsync(Owner.Of(http.User), id, http.RequestAborted))
        {
            store.Note("KeyRevoked", "person");
        }

        return await AccountAsync(http, book, null, null);
    }

    private static IResult SignInPage(HttpContext http, string? to, string? problem, string? name)
    {
        return new RazorComponentResult<SignInPage>(new
        {
            Text = AccountText.Of(http.Request.Cookies["lang"]),
            Tokens = Tokens(http),
            To = PageOf(to),
            Problem = problem,
            Name = name is { Length: <= Account.LongestName } ? name : null,
        })
        {
            StatusCode = http.Response.StatusCode,
        };
    }

    private static async Task<IResult> AccountAsync(HttpContext http, AccountBook book, string? notice, string? fresh)
    {
        if (await book.FindAsync(http.User.FindFirstValue(ClaimTypes.NameIdentifier) ?? "", http.RequestAborted) is not { } account)
        {
            return Results.NotFound();
        }

        return new RazorComponentResult<AccountPage>(new
        {
            Text = AccountText.Of(http.Request.Cookies["lang"]),
            Tokens = Tokens(http),
            Account = account,
            Keys = await book.KeysAsync(account.Id, http.RequestAborted),
            Notice = notice,
            Fresh = fresh,
        });
    }

    private static AntiforgeryTokenSet Tokens(HttpContext http) => http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http);

    private static string PageOf(string? to) => Pages.FirstOrDefault(p => p == to) ?? "/";
}
