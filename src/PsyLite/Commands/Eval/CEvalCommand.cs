using System.CommandLine;
using System.Globalization;
using PsyLite.Evaluation.CEval;
using PsyLite.Evaluation.Reports;

namespace PsyLite.Commands.Eval;

/// <summary><c>psylite eval ceval</c>.</summary>
internal static class CEvalCommand
{
    public static Command Create()
    {
        var flags = new EvalFlags(Path.Combine("eval-sets", "ceval"));
        var variant = new Option<string>("--variant") { Description = "协议 · protocol", DefaultValueFactory = _ => "official" };
        variant.AcceptOnlyFromAmong([.. CEvalVariant.All.Select(v => v.Name)]);
        var split = new Option<string>("--split") { Description = "val | test | dev", DefaultValueFactory = _ => "val" };
        split.AcceptOnlyFromAmong("val", "test", "dev");
        var shots = new Option<int?>("--shots") { Description = "例题数，默认按协议 · worked examples, as the protocol has it by default" };
        shots.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var number) || number is < 0 or > 5))
            {
                result.AddError("--shots: 0–5");
            }
        });
        var maxTokens = new Option<int?>("--max-tokens") { Description = "回答的长度上限 · longest answer" };
        EvalFlags.AtLeastOne(maxTokens);
        var subjects = new Option<string[]>("--subject") { Description = "只测这些科目 · these subjects only", AllowMultipleArgumentsPerToken = true };
        var command = new Command("ceval", "C-Eval：中文考试题 · Chinese exam questions\n  psylite eval ceval --data eval-sets/ceval --out reports/ceval\n  psylite eval ceval --data formal_ceval --variant opencompass-gen --model FILE --out reports/ceval-gen")
        {
            variant, split, shots, maxTokens, subjects,
        };
        flags.AddTo(command, hasAgent: false);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var protocol = CEvalVariant.All.Single(v => v.Name == parsed.GetValue(variant));
            var options = new CEvalOptions(protocol, parsed.GetRequiredValue(split)) { Shots = parsed.GetValue(shots) ?? protocol.Shots, MaxTokens = parsed.GetValue(maxTokens) ?? protocol.MaxTokens, Seed = flags.Seed(parsed) };
            var data = CEvalData.Read(flags.Data(parsed), options.Split, parsed.GetValue(subjects) is { Length: > 0 } chosen ? chosen : null);
            using var run = await flags.OpenAsync(parsed, cancellationToken);
            var answers = await new CEvalRun(run.Asker, options).RunAsync(data, run.Progress, cancellationToken);
            var manifest = run.Manifest("C-Eval", protocol.Name, data.Folder, data.Sha256, new Dictionary<string, string>
            {
                ["split"] = options.Split,
                ["shots"] = options.Shots.ToString(CultureInfo.InvariantCulture),
                ["max tokens"] = options.MaxTokens.ToString(CultureInfo.InvariantCulture),
                ["temperature"] = "0",
            });
            var report = CEvalReport.Of(manifest, answers);
            if (answers.Any(a => a.Question.Answer is null))
            {
                var path = Path.Combine(run.Folder, "submission.json");
                await ReportJson.SaveAsync(path, ReportJson.Write(CEvalRun.Submission(answers)), cancellationToken);
                Console.WriteLine($"没有公布答案的题写入提交文件 · questions without a published label go into {path}");
            }

            await EvalOutput.WriteAsync(run.Folder, "ceval", report, report.Page(), report.Figures, manifest, cancellationToken);
            return CommandBoundary.Done;
        });
        return command;
    }
}
