using PsyLite.Server.Accounts;

namespace PsyLite.Web;

/// <summary>Whose conversations a page shows: the account that has signed in, or the person at this machine.</summary>
internal static class PageOwner
{
    public static string Of(HttpContext http) => Owner.Of(http.User);
}
