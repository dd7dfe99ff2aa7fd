using System.CommandLine;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;
using Spectre.Console;

namespace PsyLite.Commands;

/// <summary><c>psylite chat</c>: a conversation in the terminal, or one turn for a script.</summary>
internal static class ChatCommand
{
    private static readonly string[] QuitWords = ["退出", "再见", "quit", "exit", "bye"];

    public static Command Create()
    {
        var once = new Option<string?>("--once") { Description = "只说这一句 · one turn with this text" };
        var json = new Option<bool>("--json") { Description = "与 --once 合用，输出 JSON · with --once, print JSON" };
        var model = new ModelOptions();
        var command = new Command("chat", "在终端里对话 · talk in the terminal\n  psylite chat --once \"我最近总是失眠\" --json") { once, json };
        model.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(json) && result.GetResult(once) is null)
            {
                result.AddError("--json 需要 --once · --json needs --once TEXT");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = model.Read(parsed);
            if (options.SendingNotice is { } notice)
            {
                await Console.Error.WriteLineAsync($"psylite: {notice}");
            }

            using var parts = Composition.Create(options);
            return parsed.GetValue(once) is { } text
                ? await OnceAsync(parts, text, parsed.GetValue(json), cancellationToken)
                : await ConverseAsync(parts, cancellationToken);
        });
        return command;
    }

    private static async Task<int> OnceAsync(Composition parts, string text, bool asJson, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            throw new ArgumentException("--once needs a text, as in psylite chat --once \"我最近总是失眠\".");
        }

        List<ChatMessage> messages = [new(ChatRole.User, text)];
        var start = Stopwatch.GetTimestamp();
        if (parts.Assessor.Assess(messages).Route != Route.Danger)
        {
            // Loaded before the turn begins, so that the turn's times are those of a running program. Danger waits for no model.
            parts.Model.Start();
            await parts.Model.Settled.WaitAsync(cancellationToken);
        }

        var loadMs = parts.Model.Status == ModelStatus.NotStarted ? 0 : Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        var terminal = TurnScreen.OpenTerminal();
        var screen = asJson ? null : new TurnScreen(terminal);
        TurnResult? result = null;
        await foreach (var e in parts.Pipeline.RunAsync(new TurnRequest(messages, new ConversationState()), cancellationToken))
        {
            screen?.Show(e);
            result = (e as TurnEvent.Completed)?.Result ?? result;
        }

        if (asJson)
        {
            await using var output = Console.OpenStandardOutput();
            await using var json = new Utf8JsonWriter(output, Console.IsOutputRedirected ? TurnJson.Compact : TurnJson.Indented);
            TurnJson.WriteTurn(json, result!, loadMs);
            await json.FlushAsync(cancellationToken);
            output.WriteByte((byte)'\n');
        }
        else if (result!.Crosstalk is { } piece)
        {
            ShowPiece(terminal, piece);
        }

        return ReportModel(parts.Model) ? CommandBoundary.Done : CommandBoundary.Failed;
    }

    private static async Task<int> ConverseAsync(Composition parts, CancellationToken cancellationToken)
    {
        parts.Model.Start();
        var terminal = TurnScreen.OpenTerminal();
        terminal.MarkupLine("[grey]我是电脑程序，不是真人，不能代替医生或心理咨询师；" +
            $"{(parts.Model.SentTo is { } hosts ? $"回复由 {Markup.Escape(hosts)} 生成，内容会发送到那里" : "内容只留在这台电脑上")}。急难时请打 " +
            $"{parts.HelpLines.Lifeline}、{parts.HelpLines.Ambulance} 或 {parts.HelpLines.Police}。输入“退出”结束。[/]\n");
        using var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        var state = new ConversationState();
        var messages = new List<ChatMessage>();
        var humour = true;
        var hasReported = false;
        while (await AskAsync(terminal, input, "你", cancellationToken) is { } text && !QuitWords.Contains(text.TrimEnd('。', '!', '！', '.').ToLowerInvariant()))
        {
            if (text.Length == 0)
            {
                continue;
            }

            messages.Add(new ChatMessage(ChatRole.User, text));
            var result = await TurnAsync(terminal, parts, new TurnRequest([.. messages], state) { HumourAllowed = humour }, cancellationToken);
            messages.Add(new ChatMessage(ChatRole.Assistant, result.Reply));
            if (result.Crosstalk is { } piece && await AskAsync(terminal, input, $"有一段相声《{piece.Title}》，想听吗？y/n（o 以后都不要）", cancellationToken) is { } answer)
            {
                humour = !answer.Equals("o", StringComparison.OrdinalIgnoreCase);
                if (answer.StartsWith('y') || answer.StartsWith('Y') || answer is "想" or "想听" or "好" or "要" or "听")
                {
                    ShowPiece(terminal, piece);
                }
            }

            hasReported = hasReported || !ReportModel(parts.Model);
        }

        terminal.MarkupLine("[grey]再见，保重。[/]");
        return CommandBoundary.Done;
    }

    private static async Task<TurnResult> TurnAsync(IAnsiConsole terminal, Composition parts, TurnRequest request, CancellationToken cancellationToken)
    {
        var screen = new TurnScreen(terminal);
        TurnResult? result = null;
        await foreach (var e in parts.Pipeline.RunAsync(request, cancellationToken))
        {
            screen.Show(e);
            result = (e as TurnEvent.Completed)?.Result ?? result;
        }

        return result!;
    }

    /// <summary>One line of the person; null at the end of input.</summary>
    private static async Task<string?> AskAsync(IAnsiConsole terminal, StreamReader input, string prompt, CancellationToken cancellationToken)
    {
        terminal.Markup($"[green]{Markup.Escape(prompt)}[/] › ");
        var line = await input.ReadLineAsync(cancellationToken).AsTask().WaitAsync(cancellationToken);
        return line?.Trim();
    }

    private static void ShowPiece(IAnsiConsole terminal, CrosstalkPiece piece)
    {
        terminal.MarkupLine($"\n[grey]相声《{Markup.Escape(piece.Title)}》[/]");
        foreach (var line in piece.Lines)
        {
            terminal.WriteLine(line);
        }

        terminal.WriteLine();
    }

    /// <summary>Says on standard error why there is no model; false when there is none.</summary>
    private static bool ReportModel(LocalModel model)
    {
        if (model.Problem is not { } problem)
        {
            return true;
        }

        Console.Error.WriteLine($"psylite: {problem}");
        return false;
    }
}
