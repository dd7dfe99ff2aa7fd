using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using PsyLite.Store;

namespace PsyLite.Server.Accounts;

/// <summary>Whose conversations a request or a page is about: the account's that signed in, or without accounts those of the person at this machine.</summary>
internal static class Owner
{
    public static string Of(ClaimsPrincipal? user) =>
        user?.Identity is { IsAuthenticated: true } && user.FindFirstValue(ClaimTypes.NameIdentifier) is { Length: > 0 } id ? id : LocalOwner.Id;

    /// <summary>
    /// A front end that serves several people names them; each is then an owner of their own below whoever the front end itself is. What a caller
    /// claims can therefore only ever reach what came through the same key.
    /// </summary>
    public static string Of(ClaimsPrincipal? user, string? claimed) =>
        claimed is null ? Of(user) : $"{Of(user)}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(claimed)).AsSpan(0, 16))}";
}
