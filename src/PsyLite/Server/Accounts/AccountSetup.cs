using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using PsyLite.Store.Accounts;

namespace PsyLite.Server.Accounts;

/// <summary>What a server with accounts is given before it listens.</summary>
internal sealed record SignInParts(AccountBook Book, IDataProtectionProvider Sessions);

/// <summary>
/// Sign-in by ASP.NET Core Identity over the store. Whatever is not marked as open needs somebody who has signed in: a path that is forgotten is a
/// closed one.
/// </summary>
internal static class AccountSetup
{
    public const string Cookie = "psylite.session";
    public const string SignInPath = "/sign-in";

    /// <summary>Policies: counsellors and admins; admins alone.</summary>
    public const string Counsellors = "counsellor";
    public const string Admins = "admin";

    private const int MostFailures = 5;
    private static readonly TimeSpan Lock = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Session = TimeSpan.FromHours(12);

    public static void AddTo(IServiceCollection services, SignInParts parts)
    {
        services.AddSingleton(parts.Book);
        services.AddSingleton(parts.Sessions);
        services.AddScoped<IUserStore<Account>, IdentityStore>();
        services.AddSingleton<IPasswordHasher<Account>>(Passwords.Hasher);
        services.AddHttpContextAccessor();
        services.AddIdentityCore<Account>(identity =>
        {
            identity.Lockout.MaxFailedAccessAttempts = MostFailures;
            identity.Lockout.DefaultLockoutTimeSpan = Lock;
            identity.User.AllowedUserNameCharacters = "";
        }).AddSignInManager();
        services.AddScoped<IUserClaimsPrincipalFactory<Account>, AccountClaims>();
        services.AddAuthentication(IdentityConstants.ApplicationScheme).AddCookie(IdentityConstants.ApplicationScheme, Describe);
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build())
            .AddPolicy(Counsellors, policy => policy.RequireRole(nameof(AccountRole.Counsellor), nameof(AccountRole.Admin)))
            .AddPolicy(Admins, policy => policy.RequireRole(nameof(AccountRole.Admin)));
        services.AddCascadingAuthenticationState();
        services.AddScoped<CircuitHandler, SessionCircuit>();
        services.AddSingleton<SignInGate>();
    }

    /// <summary>Believes the proxies in front, and refuses everybody else from beyond this machine where there are any.</summary>
    public static void UseProxies(WebApplication app, IReadOnlyList<System.Net.IPNetwork> proxies)
    {
        if (proxies.Count == 0)
        {
            return;
        }

        app.Use((context, next) => context.Connection.RemoteIpAddress is { } from && (System.Net.IPAddress.IsLoopback(from) || proxies.Any(p => Holds(p, from)))
            ? next(context)
            : Refuse(context));
        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = 1 };
        forwarded.KnownIPNetworks.Clear();
        forwarded.KnownProxies.Clear();
        foreach (var proxy in proxies)
        {
            forwarded.KnownIPNetworks.Add(proxy);
        }

        app.UseForwardedHeaders(forwarded);
    }

    public static ClaimsPrincipal PrincipalOf(Account account) => new(new ClaimsIdentity(Claims(account), "api key"));

    /// <summary>The key of the whole server, which no account stands behind.</summary>
    public static ClaimsPrincipal Service { get; } = new(new ClaimsIdentity(
        [new Claim(ClaimTypes.NameIdentifier, "service"), new Claim(ClaimTypes.Role, nameof(AccountRole.Admin))], "server key"));

    private static Claim[] Claims(Account account) =>
        [new Claim(ClaimTypes.NameIdentifier, account.Id), new Claim(ClaimTypes.Name, account.Name), new Claim(ClaimTypes.Role, account.Role.ToString())];

    private static bool Holds(System.Net.IPNetwork network, System.Net.IPAddress address) =>
        network.Contains(address) || (address.IsIPv4MappedToIPv6 && network.Contains(address.MapToIPv4()));

    private static Task Refuse(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return context.Response.WriteAsync("only the proxy in front may connect; see PSYLITE_PROXY\n");
    }

    private static void Describe(CookieAuthenticationOptions cookie)
    {
        cookie.Cookie.Name = Cookie;
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Strict;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookie.ExpireTimeSpan = Session;
        cookie.LoginPath = SignInPath;
        cookie.ReturnUrlParameter = "to";
        cookie.Events = new CookieAuthenticationEvents
        {
            OnValidatePrincipal = ValidateAsync,
            OnRedirectToLogin = context => Answer(context, StatusCodes.Status401Unauthorized),
            OnRedirectToAccessDenied = context => Answer(context, StatusCodes.Status403Forbidden),
        };
    }

    /// <summary>Whoever was disabled, signed out or has a new password is out with the next request.</summary>
    private static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var services = context.HttpContext.RequestServices;
        var stamp = context.Principal?.FindFirstValue(services.GetRequiredService<IOptions<IdentityOptions>>().Value.ClaimsIdentity.SecurityStampClaimType);
        var account = await services.GetRequiredService<AccountBook>().FindAsync(Owner.Of(context.Principal), context.HttpContext.RequestAborted);
        if (account is not { IsDisabled: false } || account.Stamp != stamp)
        {
            context.RejectPrincipal();
            await context.HttpContext.SignOutAsync(IdentityConstants.ApplicationScheme);
        }
    }

    /// <summary>A person at a browser is shown the way in; a program gets the status.</summary>
    private static Task Answer(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        var isPage = status == StatusCodes.Status401Unauthorized && HttpMethods.IsGet(context.Request.Method)
            && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
        if (isPage)
        {
            context.Response.Redirect(context.RedirectUri);
        }
        else
        {
            context.Response.StatusCode = status;
        }

        return Task.CompletedTask;
    }

    private sealed class AccountClaims(UserManager<Account> users, IOptions<IdentityOptions> options) : UserClaimsPrincipalFactory<Account>(users, options)
    {
        protected override async Task<ClaimsIdentity> GenerateClaimsAsync(Account user)
        {
            var identity = await base.GenerateClaimsAsync(user);
            identity.AddClaim(new Claim(ClaimTypes.Role, user.Role.ToString()));
            return identity;
        }
    }
}
