using Microsoft.AspNetCore.Http.HttpResults;
using PsyLite.Server.Accounts;
using PsyLite.Web.Counsellors;

namespace PsyLite.Server.Counsellors;

/// <summary>The counsellors' page. With accounts it is for their roles; without, for the person at this machine who asked for it in the settings.</summary>
internal static class ConsoleEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, bool hasAccounts)
    {
        var page = routes.MapGet("/console", (HttpContext http) =>
        {
            http.Response.Headers.CacheControl = "no-store";
            return new RazorComponentResult<ConsoleRoot>();
        });
        if (hasAccounts)
        {
            page.RequireAuthorization(AccountSetup.Counsellors);
        }
    }
}
