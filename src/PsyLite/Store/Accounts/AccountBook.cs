using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;

namespace PsyLite.Store.Accounts;

/// <summary>
/// The accounts and their API keys. A stolen database tells neither names nor hashes: both are sealed, and an account is found by a keyed hash of
/// its name. Safe to share.
/// </summary>
internal sealed class AccountBook(StoreDatabase database)
{
    public TimeProvider Time => database.Time;

    /// <returns>False when the name is taken.</returns>
    public Task<bool> AddAsync(Account account, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            var key = await KeyAsync(db, cancellationToken);
            var name = NameOf(account.Name, key);
            if (await db.Accounts.AnyAsync(a => a.Name == name, cancellationToken))
            {
                return false;
            }

            account.Created = database.Time.GetUtcNow();
            db.Accounts.Add(new AccountRow { Id = account.Id, Name = name, Body = key.Seal(account, Seals.Account(account.Id)) });
            return true;
        },
        cancellationToken);

    public Task<Account?> FindAsync(string id, CancellationToken cancellationToken) => database.ReadAsync(async db =>
        await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == id, cancellationToken) is { } row ? await ReadAsync(db, row, cancellationToken) : null);

    public Task<Account?> FindByNameAsync(string name, CancellationToken cancellationToken) => database.ReadAsync(async db =>
    {
        if (await database.KeyAsync(db, Seals.AccountsKey, cancellationToken) is not { } key)
        {
            return null;
        }

        var hash = NameOf(name, key);
        return await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Name == hash, cancellationToken) is { } row ? Read(row, key) : null;
    });

    /// <summary>Oldest first.</summary>
    public Task<IReadOnlyList<Account>> ListAsync(CancellationToken cancellationToken) => database.ReadAsync(async db =>
        await database.KeyAsync(db, Seals.AccountsKey, cancellationToken) is { } key
            ? (IReadOnlyList<Account>)[.. (await db.Accounts.AsNoTracking().ToListAsync(cancellationToken)).Select(row => Read(row, key)).OrderBy(a => a.Created)]
            : []);

    /// <returns>False when somebody else changed the account meanwhile, or it is gone. Its name stays as it is.</returns>
    public Task<bool> ChangeAsync(Account account, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            var row = await db.Accounts.SingleOrDefaultAsync(a => a.Id == account.Id, cancellationToken);
            if (row is null || row.Version != account.Version)
            {
                return false;
            }

            account.Version = ++row.Version;
            row.Body = (await KeyAsync(db, cancellationToken)).Seal(account, Seals.Account(account.Id));
            return true;
        },
        cancellationToken);

    /// <summary>A new API key, to be shown once: what is kept is its hash.</summary>
    public Task<ApiKey> AddKeyAsync(string account, string label, CancellationToken cancellationToken) => database.WriteAsync(
        async db =>
        {
            var made = ApiKey.Create();
            var key = await KeyAsync(db, cancellationToken);
            db.ApiKeys.Add(new ApiKeyRow
            {
                Id = made.Id,
                AccountId = account,
                Created = database.Now,
                Body = key.Seal(new KeyBody(made.Hash(), label), Seals.ApiKey(made.Id, account)),
            });
            return made;
        },
        cancellationToken);

    /// <summary>Oldest first.</summary>
    public Task<IReadOnlyList<AccountKey>> KeysAsync(string account, CancellationToken cancellationToken) => database.ReadAsync(async db =>
    {
        var rows = await db.ApiKeys.AsNoTracking().Where(k => k.AccountId == account).OrderBy(k => k.Created).ToListAsync(cancellationToken);
        if (rows.Count == 0 || await database.KeyAsync(db, Seals.AccountsKey, cancellationToken) is not { } key)
        {
            return [];
        }

        return (IReadOnlyList<AccountKey>)[.. rows.Select(row => new AccountKey(
            row.Id, row.AccountId, Body(row, key).Label, DateTimeOffset.FromUnixTimeMilliseconds(row.Created)))];
    });

    /// <param name="account">Whose key it must be.</param>
    public Task<bool> RevokeKeyAsync(string account, string id, CancellationToken cancellationToken) => database.WriteAsync(
        async db => await db.ApiKeys.Where(k => k.Id == id && k.AccountId == account).ExecuteDeleteAsync(cancellationToken) > 0, cancellationToken);

    /// <summary>Whose key this is; null for a key that is none, was revoked, or belongs to an account that is disabled.</summary>
    public async Task<Account?> FindByKeyAsync(string text, CancellationToken cancellationToken)
    {
        if (ApiKey.Parse(text) is not { } given)
        {
            return null;
        }

        return await database.ReadAsync(async db =>
        {
            var row = await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Id == given.Id, cancellationToken);
            if (row is null || await database.KeyAsync(db, Seals.AccountsKey, cancellationToken) is not { } key
                || !CryptographicOperations.FixedTimeEquals(given.Hash(), Body(row, key).Hash))
            {
                return null;
            }

            var owner = await db.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == row.AccountId, cancellationToken);
            return owner is not null && Read(owner, key) is { IsDisabled: false } account ? account : null;
        });
    }

    private static string NameOf(string name, DataKey key) => Convert.ToHexStringLower(key.Sign(Encoding.UTF8.GetBytes($"account name|{name.ToLowerInvariant()}")));

    private static Account Read(AccountRow row, DataKey key)
    {
        var account = key.Open<Account>(row.Body, Seals.Account(row.Id));
        account.Version = row.Version;
        return account;
    }

    private static KeyBody Body(ApiKeyRow row, DataKey key) => key.Open<KeyBody>(row.Body, Seals.ApiKey(row.Id, row.AccountId));

    private async Task<Account?> ReadAsync(StoreContext db, AccountRow row, CancellationToken cancellationToken) =>
        await database.KeyAsync(db, Seals.AccountsKey, cancellationToken) is { } key ? Read(row, key) : null;

    private async Task<DataKey> KeyAsync(StoreContext db, CancellationToken cancellationToken) =>
        await database.KeyAsync(db, Seals.AccountsKey, cancellationToken) ?? await database.AddKeyAsync(db, Seals.AccountsKey, cancellationToken);

    private sealed record KeyBody(byte[] Hash, string Label);
}
