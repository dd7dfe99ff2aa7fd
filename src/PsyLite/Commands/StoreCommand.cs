using System.CommandLine;
using System.Data.Common;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using PsyLite.Options;
using PsyLite.Store;
using PsyLite.Store.Audit;
using PsyLite.Store.Export;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;

namespace PsyLite.Commands;

/// <summary><c>psylite store</c> and <c>psylite audit</c>: what is kept, by whoever runs the machine.</summary>
internal static class StoreCommand
{
    public static Command Create()
    {
        var command = new Command("store", "保存的对话 · the conversations that are kept");
        command.Subcommands.Add(RotateKey());
        command.Subcommands.Add(Export());
        command.Subcommands.Add(Erase());
        command.Subcommands.Add(Sweep());
        return command;
    }

    public static Command CreateAudit()
    {
        var verify = new Command("verify", "检查审计记录是否被改动 · check that the audit log is whole\n  psylite audit verify");
        verify.SetAction(async (_, cancellationToken) =>
        {
            var (database, chain) = await OpenAsync(cancellationToken);
            var verdict = await chain.VerifyAsync(cancellationToken);
            if (verdict.Fault is { } fault)
            {
                await Console.Error.WriteLineAsync($"psylite: {database.Description}: {fault}");
                return CommandBoundary.Failed;
            }

            Console.WriteLine($"{verdict.Records} 条完好 records are as they were written");
            return CommandBoundary.Done;
        });
        return new Command("audit", "审计记录 · the audit log") { verify };
    }

    private static Command RotateKey()
    {
        var command = new Command("rotate-key", "换主密钥，可中断后重来 · put a new master key in force; safe to interrupt and run again\n  psylite store rotate-key");
        command.SetAction((_, cancellationToken) => RunAsync(
            async (database, chain) =>
            {
                var count = await new KeyRotation(database).RunAsync(null, cancellationToken);
                await NoteAsync(database, chain, "KeyRotated", $"{count} keys", null, cancellationToken);
                Console.WriteLine($"{count} 把密钥已重新包装 keys were wrapped anew ({database.Keys.Description})");
                if (database.Keys.Path is null)
                {
                    Console.WriteLine("现在可以从 PSYLITE_STORE_KEY 去掉旧密钥 · the older keys may now leave PSYLITE_STORE_KEY");
                }

                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Export()
    {
        var owner = Owner();
        var conversation = Conversation();
        var format = new Option<string>("--format") { Description = "json 或 html", DefaultValueFactory = _ => "json" };
        format.AcceptOnlyFromAmong("json", "html");
        var target = new Option<string>("--out") { Description = "写到这个文件 · file to write", Required = true };
        var command = new Command("export", "导出一个人的全部 · export everything of an owner\n  psylite store export --format html --out mine.html") { owner, conversation, format, target };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            async (database, chain) =>
            {
                var (name, only, path) = (parsed.GetRequiredValue(owner), parsed.GetValue(conversation), Path.GetFullPath(parsed.GetRequiredValue(target)));
                var export = new OwnerExport(new SqlConversationStore(database), name);
                OwnerOnlyFile.Touch(path);
                await using (var file = new FileStream(path, FileMode.Truncate, FileAccess.Write))
                {
                    await (parsed.GetRequiredValue(format) == "html" ? HtmlExport.WriteAsync(export, file, database.Time.GetUtcNow(), only, cancellationToken)
                        : JsonExport.WriteAsync(export, file, database.Time.GetUtcNow(), only, cancellationToken));
                }

                await NoteAsync(database, chain, "Exported", "command", only, cancellationToken);
                Console.WriteLine($"{path}（未加密，请妥善保管 · not encrypted, keep it safe）");
                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Erase()
    {
        var owner = Owner();
        var conversation = Conversation();
        var all = new Option<bool>("--all") { Description = "这个人的全部 · everything of the owner" };
        var command = new Command("erase", "彻底删除，无法恢复 · erase for good\n  psylite store erase --conversation ID\n  psylite store erase --all --owner local") { owner, conversation, all };
        command.Validators.Add(result =>
        {
            if (result.GetValue(all) == result.GetValue(conversation) is not null)
            {
                result.AddError("name one conversation with --conversation ID, or everything with --all.");
            }
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(
            async (database, chain) =>
            {
                var (name, only) = (parsed.GetRequiredValue(owner), parsed.GetValue(conversation));
                var store = new SqlConversationStore(database);
                var erased = only is null ? await store.EraseOwnerAsync(name, cancellationToken)
                    : await store.EraseAsync(name, only, cancellationToken) ? 1
                    : throw new StoreException($"there is no conversation {only} of {name}.");
                await NoteAsync(database, chain, "Erased", only is null ? $"owner, {erased} conversations" : "conversation", only, cancellationToken);
                Console.WriteLine($"{erased} 个对话已删除 conversations are gone");
                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command Sweep()
    {
        var days = new Option<int?>("--days") { Description = "保留天数 · days to keep (PSYLITE_RETENTION_DAYS)" };
        var command = new Command("sweep", "删除过期的对话 · erase what is older than it may be kept\n  psylite store sweep --days 30") { days };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            async (database, chain) =>
            {
                var keep = parsed.GetValue(days) ?? AppOptions.FromEnvironment().RetentionDays;
                var swept = await new Retention(database, TimeSpan.FromDays(keep)).SweepAsync(cancellationToken);
                await database.ScrubAsync(cancellationToken);
                await NoteAsync(database, chain, "Swept", $"retention {keep} days, {swept} conversations", null, cancellationToken);
                Console.WriteLine($"{swept} 个对话已删除 conversations are gone");
                return CommandBoundary.Done;
            },
            cancellationToken));
        return command;
    }

    private static Option<string> Owner() => new("--owner") { Description = "谁的 · whose (local: the person at this machine)", DefaultValueFactory = _ => LocalOwner.Id };

    private static Option<string?> Conversation() => new("--conversation") { Description = "只要这个对话 · only this conversation" };

    private static Task NoteAsync(StoreDatabase database, AuditChain chain, string action, string rule, string? conversation, CancellationToken cancellationToken) =>
        chain.AppendAsync([new AuditEntry(database.Time.GetUtcNow(), "-", rule, action, null, conversation)], cancellationToken);

    private static async Task<int> RunAsync(Func<StoreDatabase, AuditChain, Task<int>> work, CancellationToken cancellationToken)
    {
        var (database, chain) = await OpenAsync(cancellationToken);
        try
        {
            return await work(database, chain);
        }
        catch (Exception fault) when (fault is DbException or DbUpdateException or CryptographicException)
        {
            throw new StoreException(database.Explain(fault), fault);
        }
    }

    private static async Task<(StoreDatabase Database, AuditChain Chain)> OpenAsync(CancellationToken cancellationToken)
    {
        var location = StoreLocation.Of(AppOptions.FromEnvironment(), TimeProvider.System);
        var database = await location.OpenAsync(TimeProvider.System, cancellationToken);
        if (database.Notice is { } notice)
        {
            await Console.Error.WriteLineAsync($"psylite: {notice}");
        }

        return (database, new AuditChain(database, location.AuditHead));
    }
}
