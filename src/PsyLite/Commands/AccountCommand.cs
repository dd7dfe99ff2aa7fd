using System.CommandLine;
using PsyLite.Options;
using PsyLite.Server.Accounts;
using PsyLite.Store;
using PsyLite.Store.Accounts;
using PsyLite.Store.Audit;

namespace PsyLite.Commands;

/// <summary><c>psylite account</c>: who may sign in, by whoever runs the machine. The first admin comes from here.</summary>
internal static class AccountCommand
{
    public static Command Create()
    {
        var command = new Command("account", "账号 · accounts that sign in (PSYLITE_ACCOUNTS=on)");
        command.Subcommands.Add(Add());
        command.Subcommands.Add(List());
        command.Subcommands.Add(Reset());
        command.Subcommands.Add(Switch("disable", "停用：不能登录，密钥失效，对话保留 · no sign-in, no keys; the conversations stay\n  psylite account disable wang", isDisabled: true));
        command.Subcommands.Add(Switch("enable", "重新启用 · let in again\n  psylite account enable wang", isDisabled: false));
        command.Subcommands.Add(Key());
        command.Subcommands.Add(Revoke());
        return command;
    }

    private static Command Add()
    {
        var name = Name();
        var role = new Option<AccountRole>("--role") { Description = "client | counsellor | admin", DefaultValueFactory = _ => AccountRole.Client };
        var given = FromInput();
        var command = new Command("add", "新建账号，密码只显示一次 · a new account; its password is shown once\n  psylite account add wang --role admin") { name, role, given };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            async (book, chain) =>
            {
                var account = new Account { Name = parsed.GetRequiredValue(name).Trim(), Role = parsed.GetRequiredValue(role) };
                if (Account.NameFault(account.Name) is { } fault)
                {
                    throw new StoreException(fault);
                }

                var password = ReadPassword(account, parsed.GetValue(given));
                var set = password ?? Passwords.Generate();
                Passwords.Set(account, set);
                if (!await book.AddAsync(account, cancellationToken))
                {
                    throw new StoreException($"there is an account {account.Name} already; a new password: psylite account reset {account.Name}");
                }

                await NoteAsync(book, chain, "AccountAdded", account.Role.ToString(), cancellationToken);
                Tell(account, password is null ? set : null);
                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "所有账号 · all accounts\n  psylite account list");
        command.SetAction((_, cancellationToken) => RunAsync(
            async (book, _) =>
            {
                foreach (var account in await book.ListAsync(cancellationToken))
                {
                    var standing = account.IsDisabled ? "disabled" : account.LockedUntil > book.Time.GetUtcNow() ? "locked" : "active";
                    var keys = string.Join(' ', (await book.KeysAsync(account.Id, cancellationToken)).Select(k => $"{k.Id}({k.Label})"));
                    Console.WriteLine($"{account.Name}\t{account.Role.ToString().ToLowerInvariant()}\t{standing}\t{account.Created:yyyy-MM-dd}\t{keys}");
                }

                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Reset()
    {
        var name = Name();
        var given = FromInput();
        var command = new Command("reset", "换密码、解锁、结束登录 · a new password, no lock, no sessions\n  psylite account reset wang") { name, given };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            async (book, chain) =>
            {
                var account = await FindAsync(book, parsed.GetRequiredValue(name), cancellationToken);
                var password = ReadPassword(account, parsed.GetValue(given));
                var set = password ?? Passwords.Generate();
                Passwords.Set(account, set);
                await ChangeAsync(book, account, cancellationToken);
                await NoteAsync(book, chain, "AccountReset", account.Role.ToString(), cancellationToken);
                Tell(account, password is null ? set : null);
                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Switch(string word, string description, bool isDisabled)
    {
        var name = Name();
        var command = new Command(word, description) { name };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            async (book, chain) =>
            {
                var account = await FindAsync(book, parsed.GetRequiredValue(name), cancellationToken);
                (account.IsDisabled, account.Stamp) = (isDisabled, Guid.NewGuid().ToString("N"));
                await ChangeAsync(book, account, cancellationToken);
                await NoteAsync(book, chain, isDisabled ? "AccountDisabled" : "AccountEnabled", account.Role.ToString(), cancellationToken);
                Console.WriteLine(isDisabled ? $"{account.Name} 已停用 is disabled" : $"{account.Name} 已启用 is enabled");
                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Key()
    {
        var name = Name();
        var label = new Option<string>("--label") { Description = "用途 · what it is for", DefaultValueFactory = _ => "command" };
        var command = new Command("key", "新建接口密钥，只显示一次 · a new API key, shown once\n  psylite account key openwebui --label \"Open WebUI\"") { name, label };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            async (book, chain) =>
            {
                var account = await FindAsync(book, parsed.GetRequiredValue(name), cancellationToken);
                var key = await book.AddKeyAsync(account.Id, parsed.GetRequiredValue(label), cancellationToken);
                await NoteAsync(book, chain, "KeyMade", "command", cancellationToken);
                Console.WriteLine(key);
                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Revoke()
    {
        var name = Name();
        var id = new Argument<string>("key") { Description = "密钥的前八位名字 · the eight letters after psy_" };
        var command = new Command("revoke", "作废接口密钥 · an API key works no more\n  psylite account revoke openwebui k3v9x2mq") { name, id };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            async (book, chain) =>
            {
                var account = await FindAsync(book, parsed.GetRequiredValue(name), cancellationToken);
                if (!await book.RevokeKeyAsync(account.Id, parsed.GetRequiredValue(id), cancellationToken))
                {
                    throw new StoreException($"{account.Name} has no key {parsed.GetRequiredValue(id)}; psylite account list shows them.");
                }

                await NoteAsync(book, chain, "KeyRevoked", "command", cancellationToken);
                Console.WriteLine("已作废 revoked");
                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Argument<string> Name() => new("name") { Description = "用户名 · name" };

    private static Option<bool> FromInput() => new("--password-stdin") { Description = "从标准输入读密码 · read the password from standard input" };

    private static string? ReadPassword(Account account, bool isGiven)
    {
        if (!isGiven)
        {
            return null;
        }

        var password = Console.In.ReadLine() ?? "";
        return Passwords.Fault(account, password) is { } fault ? throw new StoreException(fault) : password;
    }

    private static void Tell(Account account, string? password) =>
        Console.WriteLine(password is null ? $"{account.Name}\t{account.Role.ToString().ToLowerInvariant()}" : $"{account.Name}\t{account.Role.ToString().ToLowerInvariant()}\t{password}");

    private static async Task<Account> FindAsync(AccountBook book, string name, CancellationToken cancellationToken) =>
        await book.FindByNameAsync(name.Trim(), cancellationToken) ?? throw new StoreException($"there is no account {name}; psylite account list shows them.");

    private static async Task ChangeAsync(AccountBook book, Account account, CancellationToken cancellationToken)
    {
        if (!await book.ChangeAsync(account, cancellationToken))
        {
            throw new StoreException("somebody else changed the account at this moment; try again.");
        }
    }

    private static Task NoteAsync(AccountBook book, AuditChain chain, string action, string rule, CancellationToken cancellationToken) =>
        chain.AppendAsync([new AuditEntry(book.Time.GetUtcNow(), "-", rule, action, null, null)], cancellationToken);

    private static async Task<int> RunAsync(Func<AccountBook, AuditChain, Task<int>> work, CancellationToken cancellationToken)
    {
        var location = StoreLocation.Of(AppOptions.FromEnvironment(), TimeProvider.System);
        var database = await location.OpenAsync(TimeProvider.System, cancellationToken);
        return await work(new AccountBook(database), new AuditChain(database, location.AuditHead));
    }
}
