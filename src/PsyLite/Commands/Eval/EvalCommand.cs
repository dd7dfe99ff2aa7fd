using System.CommandLine;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Safety;
using PsyLite.Options;

namespace PsyLite.Commands.Eval;

/// <summary><c>psylite eval</c>: measures what the program is worth, as JSON and as a page to read.</summary>
internal static class EvalCommand
{
    public static Command Create()
    {
        var command = new Command("eval", "评测 · measure, with a report");
        command.Subcommands.Add(CEvalCommand.Create());
        command.Subcommands.Add(CounsellingCommand.Create());
        command.Subcommands.Add(SafeDialogueCommand.Create());
        command.Subcommands.Add(Safety());
        command.Subcommands.Add(PerplexityCommand.Create());
        command.Subcommands.Add(CompareCommand.Create());
        return command;
    }

    private static Command Safety()
    {
        var target = new Option<string>("--out") { Description = "报告写到这个文件夹 · folder for the report", Required = true };
        var set = new Option<string>("--set") { Description = "held-back（默认，训练没见过的三分之一）或 all · the third unseen in training, or all", DefaultValueFactory = _ => "held-back" };
        set.AcceptOnlyFromAmong("held-back", "all");
        var data = new Option<string>("--data") { Description = "带标签消息的文件夹 · folder of labelled messages", DefaultValueFactory = _ => Path.Combine("corpora", "risk") };
        var turns = new Option<int>("--turns") { Description = "故障注入的轮数 · turns with injected faults", DefaultValueFactory = _ => new SafetyOptions().Turns };
        turns.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var number) || number < 1))
            {
                result.AddError("--turns: write a number of at least 1.");
            }
        });
        var gates = new Option<bool>("--gates") { Description = "有指标不达标则退出码为 1 · exit with 1 when a gate is missed" };
        var command = new Command("safety", "安全评测：风险判断与故障注入 · risk assessment and fault injection\n  psylite eval safety --out reports/safety") { target, set, data, turns, gates };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var messages = LabelledSet.ReadFolder(parsed.GetRequiredValue(data));
            var options = new SafetyOptions
            {
                Set = parsed.GetRequiredValue(set) == "all" ? SafetySet.All : SafetySet.HeldBack,
                Turns = parsed.GetValue(turns),
            };
            var library = CrosstalkLibrary.FromFolder(AppOptions.FromEnvironment().Crosstalk);
            var progress = Console.IsOutputRedirected ? null : new Lines();
            var report = await new SafetyRun(new RiskAssessor(), library, TimeProvider.System).RunAsync(messages, options, progress, cancellationToken);
            var folder = Directory.CreateDirectory(parsed.GetRequiredValue(target)).FullName;
            await File.WriteAllTextAsync(Path.Combine(folder, "safety.json"), SafetyJson.Write(report), cancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folder, "safety.html"), SafetyPage.Write(report), cancellationToken);
            foreach (var line in SafetySummary.Lines(report).Append(Path.Combine(folder, "safety.html")))
            {
                Console.WriteLine(line);
            }

            return parsed.GetValue(gates) && report.Gates.Any(g => !g.IsMet) ? CommandBoundary.Failed : CommandBoundary.Done;
        });
        return command;
    }

    /// <summary>What is being done, a line for each step; nothing when piped.</summary>
    private sealed class Lines : IProgress<string>
    {
        public void Report(string value) => Console.Error.WriteLine($"… {value}");
    }
}
