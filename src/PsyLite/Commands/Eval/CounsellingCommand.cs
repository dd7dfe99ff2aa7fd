using System.CommandLine;
using System.Globalization;
using PsyLite.Evaluation.Counselling;
using PsyLite.Evaluation.Reports;

namespace PsyLite.Commands.Eval;

/// <summary><c>psylite eval cpsycoune</c>: a run, a blind rating form over runs (--rate), or people's ratings read back (--ratings).</summary>
internal static class CounsellingCommand
{
    private const string Report = "cpsycoune";
    private const string Key = "rate-key.json";

    public static Command Create()
    {
        var flags = new EvalFlags(Path.Combine("eval-sets", "cpsycoune"));
        var judge = new JudgeFlags(temperature: 0, maxTokens: 1024);
        var scale = new Option<string>("--scale") { Description = "notebook（专业性 3 分）或 readme（4 分） · professionalism up to 3 or 4", DefaultValueFactory = _ => "notebook" };
        scale.AcceptOnlyFromAmong("notebook", "readme");
        var aggregate = new Option<string>("--aggregate") { Description = "dialogue（先按对话平均）或 turns（各轮合并） · mean per dialogue first, or all turns pooled", DefaultValueFactory = _ => "dialogue" };
        aggregate.AcceptOnlyFromAmong("dialogue", "turns");
        var prompt = new Option<string>("--prompt") { Description = "official（人设加引用的历史）或 chat（历史作为对话轮；--with-agent 时必为它） · persona with quoted history, or history as turns, as --with-agent always has it", DefaultValueFactory = _ => "official" };
        prompt.AcceptOnlyFromAmong("official", "chat");
        var temperature = new Option<float>("--temperature") { Description = "受测模型的温度 · temperature of the model under test", DefaultValueFactory = _ => 0 };
        var maxTokens = new Option<int>("--max-tokens") { Description = "回应的长度上限 · longest reply", DefaultValueFactory = _ => new CounsellingOptions().MaxTokens };
        var rate = new Option<string[]>("--rate") { Description = "为这些运行的文件夹做一张盲评表 · make a blind rating form over the runs in these folders", AllowMultipleArgumentsPerToken = true };
        var turns = new Option<int>("--rate-turns") { Description = "盲评表里的轮数 · turns in the form", DefaultValueFactory = _ => 20 };
        var ratings = new Option<string[]>("--ratings") { Description = "读回导出的盲评（钥匙文件在 --out 里） · read back exports of the form, whose key is in --out", AllowMultipleArgumentsPerToken = true };
        EvalFlags.AtLeastOne(maxTokens);
        EvalFlags.AtLeastOne(turns);
        var command = new Command("cpsycoune", "CPsyCounE：逐轮评心理咨询 · counselling, turn by turn\n  psylite eval cpsycoune --out reports/cpsycoune\n  psylite eval cpsycoune --judge http://127.0.0.1:8000#gpt-4-turbo --out reports/cpsycoune\n  psylite eval cpsycoune --rate reports/a reports/b --out reports/rating")
        {
            scale, aggregate, prompt, temperature, maxTokens, rate, turns, ratings,
        };
        flags.AddTo(command);
        judge.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new CounsellingOptions
            {
                Scale = parsed.GetValue(scale) == "readme" ? CounsellingScale.Readme : CounsellingScale.Notebook,
                Aggregation = parsed.GetValue(aggregate) == "turns" ? CounsellingAggregation.Pooled : CounsellingAggregation.PerDialogue,
                Form = parsed.GetValue(prompt) == "chat" || flags.WithAgent(parsed) ? CounsellingForm.Chat : CounsellingForm.Official,
                Temperature = parsed.GetValue(temperature),
                MaxTokens = parsed.GetValue(maxTokens),
                Seed = flags.Seed(parsed),
            };
            return parsed.GetValue(rate) is { Length: > 0 } runs ? await MakeFormAsync(runs, flags.Out(parsed), options, parsed.GetValue(turns), cancellationToken)
                : parsed.GetValue(ratings) is { Length: > 0 } exports ? await ReadRatingsAsync(exports, flags.Out(parsed), cancellationToken)
                : await RunAsync(parsed, flags, judge, options, cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, EvalFlags flags, JudgeFlags judge, CounsellingOptions options, CancellationToken cancellationToken)
    {
        var data = CounsellingData.Read(flags.Data(parsed));
        using var run = await flags.OpenAsync(parsed, cancellationToken);
        var judges = await judge.OpenAsync(parsed, run, judge.Attempts(parsed), cancellationToken);
        var counselling = new CounsellingRun(run.Asker, judges, options);
        var turns = await counselling.RunAsync(data, run.Progress, cancellationToken);
        var manifest = run.Manifest("CPsyCounE", $"{options.Form} {options.Scale.Name} {options.Aggregation}", data.Folder, data.Sha256, new Dictionary<string, string>
        {
            ["scale"] = options.Scale.Name,
            ["aggregation"] = options.Aggregation.ToString(),
            ["form"] = options.Form.ToString(),
            ["temperature"] = options.Temperature.ToString(CultureInfo.InvariantCulture),
            ["max tokens"] = options.MaxTokens.ToString(CultureInfo.InvariantCulture),
        }) with
        {
            Judges = counselling.Judges,
            Prompts = CounsellingRun.Prompts(options, judges.Count > 0),
        };
        var report = CounsellingReport.Of(manifest, turns, options);
        foreach (var (facts, unread) in manifest.Judges.Zip(report.Unread).Where(j => j.Second > 0))
        {
            Console.WriteLine($"{facts.Name}：{turns.Count} 条评分里有 {unread} 条读不出，保留并计入报告 · {unread} of {turns.Count} verdicts could not be read; they are kept and counted in the report");
        }

        await EvalOutput.WriteAsync(run.Folder, Report, report, report.Page(), report.Figures, manifest, cancellationToken);
        return CommandBoundary.Done;
    }

    private static async Task<int> MakeFormAsync(string[] folders, string target, CounsellingOptions options, int turns, CancellationToken cancellationToken)
    {
        var runs = folders.Select(folder =>
        {
            var path = Path.Combine(folder, Report + ".json");
            var report = File.Exists(path) ? ReportJson.Read<CounsellingReport>(File.ReadAllText(path)) : null;
            return report is null ? throw new InvalidDataException($"{path} 不存在或读不出 · there is no {path}: run psylite eval cpsycoune --out {folder} first.") : (report.Manifest.Name, report);
        }).ToList();
        if (runs.Select(r => r.Name).Distinct().Count() < runs.Count)
        {
            throw new InvalidDataException("两次运行同名，请用 --name 区分 · Two runs have the same name: tell them apart with --name.");
        }

        var (html, key) = RatingForm.Make(runs, options.Scale, turns, options.Seed);
        var folder = Directory.CreateDirectory(target).FullName;
        await ReportJson.SaveAsync(Path.Combine(folder, "rate.html"), html, cancellationToken);
        await ReportJson.SaveAsync(Path.Combine(folder, Key), ReportJson.Write(key), cancellationToken);
        Console.WriteLine($"{Path.Combine(folder, "rate.html")}：{key.Items.Count} 条 replies；钥匙 the key {Key} 不要给评分人 stays with you");
        return CommandBoundary.Done;
    }

    private static async Task<int> ReadRatingsAsync(string[] exports, string folder, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, Key);
        var key = (File.Exists(path) ? ReportJson.Read<RatingKey>(await File.ReadAllTextAsync(path, cancellationToken)) : null)
            ?? throw new InvalidDataException($"{path} 不存在 · there is no {path}: name the folder of the form with --out.");
        var report = RatingReport.Of(key, [.. exports.Select(e => RatingForm.Read(File.ReadAllText(e), key, e))]);
        await ReportJson.SaveAsync(Path.Combine(folder, "rating.json"), ReportJson.Write(report), cancellationToken);
        await ReportJson.SaveAsync(Path.Combine(folder, "rating.html"), report.Page(), cancellationToken);
        foreach (var run in report.Runs)
        {
            Console.WriteLine($"{run.Run} ({run.Ratings}): {string.Join("  ", run.Figures.Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.English} {f.Estimate.Value:0.00}")))}");
        }

        Console.WriteLine(Path.Combine(folder, "rating.html"));
        return CommandBoundary.Done;
    }
}
