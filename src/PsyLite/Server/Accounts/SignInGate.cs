using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Identity;
using PsyLite.Store.Accounts;

namespace PsyLite.Server.Accounts;

/// <summary>How an attempt to sign in ended.</summary>
internal enum SignInOutcome
{
    SignedIn,

    /// <summary>Wrong name, wrong password, a locked or a disabled account: which of them is not told.</summary>
    Refused,

    /// <summary>Too many attempts with this name or from this address, whether there is such an account or not.</summary>
    TooMany,
}

/// <summary>
/// Guards the way in against guessing: attempts are counted by address and by name, before the password is looked at, and an account locks after
/// five wrong ones. An unknown name costs as much time as a known one.
/// </summary>
internal sealed class SignInGate : IDisposable
{
    private const int PerAddress = 30;
    private const int PerName = 10;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>The hash that an unknown name is checked against.</summary>
    private static readonly string Nobody = Passwords.Hasher.HashPassword(new Account { Name = "nobody" }, Passwords.Generate());
    private readonly PartitionedRateLimiter<string> _addresses = Limiter(PerAddress);
    private readonly PartitionedRateLimiter<string> _names = Limiter(PerName);

    public async Task<SignInOutcome> SignInAsync(SignInManager<Account> manager, string name, string password, string address)
    {
        name = name.Trim();
        if (name.Length > Account.LongestName || password.Length > Passwords.Longest)
        {
            return SignInOutcome.Refused;
        }

        using var byAddress = _addresses.AttemptAcquire(address);
        using var byName = _names.AttemptAcquire(name.ToLowerInvariant());
        if (!byAddress.IsAcquired || !byName.IsAcquired)
        {
            return SignInOutcome.TooMany;
        }

        var account = await manager.UserManager.FindByNameAsync(name);
        if (account is not { IsDisabled: false, PasswordHash: not null } || await manager.UserManager.IsLockedOutAsync(account))
        {
            Passwords.Hasher.VerifyHashedPassword(new Account { Name = "nobody" }, Nobody, password);
            return SignInOutcome.Refused;
        }

        var result = await manager.CheckPasswordSignInAsync(account, password, lockoutOnFailure: true);
        if (result.Succeeded)
        {
            await manager.SignInAsync(account, isPersistent: false);
        }

        return result.Succeeded ? SignInOutcome.SignedIn : SignInOutcome.Refused;
    }

    public void Dispose()
    {
        _addresses.Dispose();
        _names.Dispose();
    }

    private static PartitionedRateLimiter<string> Limiter(int most) => PartitionedRateLimiter.Create<string, string>(key =>
        RateLimitPartition.GetFixedWindowLimiter(key, _ => new FixedWindowRateLimiterOptions { PermitLimit = most, Window = Window, QueueLimit = 0 }));
}
