using Microsoft.AspNetCore.Identity;
using PsyLite.Store.Accounts;

namespace PsyLite.Server.Accounts;

/// <summary>The accounts of the store as ASP.NET Core Identity wants them.</summary>
internal sealed class IdentityStore(AccountBook book) : IUserPasswordStore<Account>, IUserLockoutStore<Account>, IUserSecurityStampStore<Account>
{
    private static readonly IdentityErrorDescriber Words = new();

    public async Task<IdentityResult> CreateAsync(Account user, CancellationToken cancellationToken) =>
        await book.AddAsync(user, cancellationToken) ? IdentityResult.Success : IdentityResult.Failed(Words.DuplicateUserName(user.Name));

    public async Task<IdentityResult> UpdateAsync(Account user, CancellationToken cancellationToken) =>
        await book.ChangeAsync(user, cancellationToken) ? IdentityResult.Success : IdentityResult.Failed(Words.ConcurrencyFailure());

    public Task<IdentityResult> DeleteAsync(Account user, CancellationToken cancellationToken) => throw new NotSupportedException("accounts are disabled, not deleted.");

    public Task<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken) => book.FindAsync(userId, cancellationToken);

    public Task<Account?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => book.FindByNameAsync(normalizedUserName, cancellationToken);

    public Task<string> GetUserIdAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

    public Task<string?> GetUserNameAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Name);

    public Task SetUserNameAsync(Account user, string? userName, CancellationToken cancellationToken) => Done(() => user.Name = userName ?? "");

    public Task<string?> GetNormalizedUserNameAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Name);

    /// <summary>Names are compared without case by the store itself.</summary>
    public Task SetNormalizedUserNameAsync(Account user, string? normalizedName, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task SetPasswordHashAsync(Account user, string? passwordHash, CancellationToken cancellationToken) => Done(() => user.PasswordHash = passwordHash);

    public Task<string?> GetPasswordHashAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.PasswordHash);

    public Task<bool> HasPasswordAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.PasswordHash is not null);

    public Task<DateTimeOffset?> GetLockoutEndDateAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.LockedUntil);

    public Task SetLockoutEndDateAsync(Account user, DateTimeOffset? lockoutEnd, CancellationToken cancellationToken) => Done(() => user.LockedUntil = lockoutEnd);

    public Task<int> IncrementAccessFailedCountAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(++user.Failures);

    public Task ResetAccessFailedCountAsync(Account user, CancellationToken cancellationToken) => Done(() => user.Failures = 0);

    public Task<int> GetAccessFailedCountAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.Failures);

    public Task<bool> GetLockoutEnabledAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(true);

    public Task SetLockoutEnabledAsync(Account user, bool enabled, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task SetSecurityStampAsync(Account user, string stamp, CancellationToken cancellationToken) => Done(() => user.Stamp = stamp);

    public Task<string?> GetSecurityStampAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Stamp);

    public void Dispose()
    {
    }

    private static Task Done(Action change)
    {
        change();
        return Task.CompletedTask;
    }
}
