using PsyLite.Store;

namespace PsyLite.Web;

/// <summary>Whose conversations a page shows: the person at this machine.</summary>
internal static class PageOwner
{
    public static string Of(HttpContext http) => LocalOwner.Id;
}
