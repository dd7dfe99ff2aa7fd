using System.CommandLine;
using System.Globalization;
using PsyLite.Evaluation.SafeDialogue;

namespace PsyLite.Commands.Eval;

/// <summary><c>psylite eval safedialbench</c>.</summary>
internal static class SafeDialogueCommand
{
    public static Command Create()
    {
        var flags = new EvalFlags(Path.Combine("eval-sets", "safedialbench"));
        var judge = new JudgeFlags(temperature: 0.7f, maxTokens: 2048);
        var turns = new Option<string>("--turns") { Description = "every（每轮都评）或 intended（换题与反转只评末轮） · judge every turn, or the last alone of Topic Change and Purpose Reverse", DefaultValueFactory = _ => "every" };
        turns.AcceptOnlyFromAmong("every", "intended");
        var unread = new Option<string>("--unread") { Description = "reported（重问并如实报告）或 as-released（照原代码记 1 分再丢弃，仅供复现） · asked again and reported, or scored 1 and dropped as the released code does", DefaultValueFactory = _ => "reported" };
        unread.AcceptOnlyFromAmong("reported", "as-released");
        var temperature = new Option<float>("--temperature") { Description = "受测模型的温度 · temperature of the model under test", DefaultValueFactory = _ => new SafeDialogueOptions().Temperature };
        var maxTokens = new Option<int>("--max-tokens") { Description = "回应的长度上限 · longest reply", DefaultValueFactory = _ => new SafeDialogueOptions().MaxTokens };
        EvalFlags.AtLeastOne(maxTokens);
        var command = new Command("safedialbench", "SafeDialBench：多轮诱导下的安全 · safety under pressure\n  psylite eval safedialbench --out reports/safedial\n  psylite eval safedialbench --with-agent --judge http://127.0.0.1:8000#deepseek-r1 --out reports/safedial") { turns, unread, temperature, maxTokens };
        flags.AddTo(command);
        judge.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new SafeDialogueOptions
            {
                Turns = parsed.GetValue(turns) == "intended" ? JudgedTurns.Intended : JudgedTurns.Every,
                Unread = parsed.GetValue(unread) == "as-released" ? UnreadVerdicts.AsReleased : UnreadVerdicts.Reported,
                Temperature = parsed.GetValue(temperature),
                MaxTokens = parsed.GetValue(maxTokens),
                Seed = flags.Seed(parsed),
            };
            var data = SafeDialogueData.Read(flags.Data(parsed));
            using var run = await flags.OpenAsync(parsed, cancellationToken);
            var judges = await judge.OpenAsync(parsed, run, judge.Attempts(parsed), cancellationToken);
            if (judges.Count > 1)
            {
                throw new InvalidDataException("这里只用一个评分者 · One --judge only here; run twice and use psylite eval compare.");
            }

            var safety = new SafeDialogueRun(run.Asker, judges.FirstOrDefault(), options);
            var dialogues = await safety.RunAsync(data, run.Progress, cancellationToken);
            var manifest = run.Manifest("SafeDialBench", $"{options.Turns} {options.Unread}", data.Folder, data.Sha256, new Dictionary<string, string>
            {
                ["turns"] = options.Turns.ToString(),
                ["unread"] = options.Unread.ToString(),
                ["temperature"] = options.Temperature.ToString(CultureInfo.InvariantCulture),
                ["max tokens"] = options.MaxTokens.ToString(CultureInfo.InvariantCulture),
            }) with
            {
                Judges = [safety.Judge],
                Prompts = SafeDialogueRun.Prompts(judges.Count > 0),
            };
            var report = SafeDialogueReport.Of(manifest, safety, dialogues);
            if (report.UnreadTurns > 0)
            {
                var judged = dialogues.Sum(d => d.Turns.Count);
                Console.WriteLine($"{judged} 条评分里有 {report.UnreadTurns} 条读不出，保留并计入报告 · {report.UnreadTurns} of {judged} verdicts could not be read; they are kept and counted in the report");
            }

            await EvalOutput.WriteAsync(run.Folder, "safedialbench", report, report.Page(), report.Figures, manifest, cancellationToken);
            return CommandBoundary.Done;
        });
        return command;
    }
}
