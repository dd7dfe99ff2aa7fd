using System.CommandLine;
using PsyLite.Options;
using PsyLite.Server;
using PsyLite.Server.Accounts;
using PsyLite.Store;
using PsyLite.Store.Accounts;

namespace PsyLite.Commands;

/// <summary><c>psylite serve</c>: the page and the APIs.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var urls = new Option<string?>("--urls") { Description = "监听地址，分号分隔 · addresses to listen on" };
        var model = new ModelOptions();
        var command = new Command("serve", "启动网页与接口 · serve the page and the APIs\n  psylite serve --urls http://127.0.0.1:8080") { urls };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = model.Read(parsed);
            options = parsed.GetValue(urls) is { Length: > 0 } given ? options with { Urls = given } : options;
            options.CheckUrls();
            if (options.Engine == EngineKind.Llama && options.Model is not null && !File.Exists(options.Model))
            {
                throw new FileNotFoundException($"there is no model file {options.Model}, nor a pulled model of that name; check --model (psylite model list), pull it (psylite model pull), or leave it out for the built-in model.");
            }

            await using var store = new StoreHost(options, TimeProvider.System, line => Console.Error.WriteLine($"psylite: {line}"));
            using var parts = Composition.Create(options, store: store);
            await using var app = PsyLiteServer.Build(parts, signIn: options.Accounts ? await SignInAsync(store, cancellationToken) : null);
            await StartAsync(app, cancellationToken);
            parts.Model.Start();
            store.Start();
            Console.WriteLine($"PsyLite: {string.Join("  ", app.Urls)}   （Ctrl+C 退出 · stops）");
            if (parts.LibraryProblem is { } missing)
            {
                await Console.Error.WriteLineAsync($"psylite: 没有相声 · no crosstalk: {missing}");
            }

            if (options.SendingNotice is { } notice)
            {
                await Console.Error.WriteLineAsync($"psylite: {notice}");
            }

            await ReportModelAsync(parts.Model, cancellationToken);
            await app.WaitForShutdownAsync(cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            return CommandBoundary.Done;
        });
        return command;
    }

    /// <summary>Accounts need their store before the first request; a server without either would be open or of no use.</summary>
    private static async Task<SignInParts> SignInAsync(StoreHost store, CancellationToken cancellationToken)
    {
        var book = await store.AccountsAsync();
        if (!(await book.ListAsync(cancellationToken)).Any(a => a is { Role: AccountRole.Admin, IsDisabled: false }))
        {
            await Console.Error.WriteLineAsync("psylite: 还没有管理员 · there is no admin yet: psylite account add NAME --role admin");
        }

        return new SignInParts(book, new SealedSessions(await store.SessionsKeyAsync(cancellationToken)));
    }

    private static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new IOException("the address is in use: stop the other program, or choose another address with --urls.", e);
        }
    }

    private static async Task ReportModelAsync(LocalModel model, CancellationToken cancellationToken)
    {
        await model.Settled.WaitAsync(cancellationToken);
        if (model.Problem is { } problem)
        {
            await Console.Error.WriteLineAsync($"psylite: 没有模型，只能给出现成回复 · no model, prepared replies only: {problem}");
        }
    }
}
