using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using PsyLite.Store.Accounts;

namespace PsyLite.Server.Accounts;

/// <summary>What a password must be, and how it is kept: PBKDF2-HMAC-SHA512 as Identity does it, with OWASP's count of rounds.</summary>
internal static class Passwords
{
    public const int Shortest = 10;

    /// <summary>Longer ones would only cost rounds.</summary>
    public const int Longest = 128;
    public const int Rounds = 210_000;
    private const string Letters = "abcdefghjkmnpqrstuvwxyz23456789";

    public static PasswordHasher<Account> Hasher { get; } = new(Microsoft.Extensions.Options.Options.Create(new PasswordHasherOptions { IterationCount = Rounds }));

    /// <summary>Four times five letters: 99 bits.</summary>
    public static string Generate() => string.Join('-', Enumerable.Range(0, 4).Select(_ => RandomNumberGenerator.GetString(Letters, 5)));

    /// <summary>Null when it can be the password of this account; else what is wrong with it.</summary>
    public static string? Fault(Account account, string password) => password.Length switch
    {
        < Shortest => $"a password has at least {Shortest} characters.",
        > Longest => $"a password has at most {Longest} characters.",
        _ => password.Distinct().Count() < 5 || password.Contains(account.Name, StringComparison.OrdinalIgnoreCase) ? "this password is too easy to guess." : null,
    };

    /// <summary>Sets the password, lifts a lock and ends all sessions.</summary>
    public static void Set(Account account, string password)
    {
        account.PasswordHash = Hasher.HashPassword(account, password);
        (account.Failures, account.LockedUntil) = (0, null);
        account.Stamp = Guid.NewGuid().ToString("N");
    }
}
