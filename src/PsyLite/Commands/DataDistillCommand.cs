using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using PsyLite.DataPipeline;
using Spectre.Console;

namespace PsyLite.Commands;

/// <summary><c>psylite data distill</c>: a teacher writes the chain of thought into counselling turns.</summary>
internal static class DataDistillCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "对话数据 · counselling dialogues, records or raw", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out") { Description = "输出 JSONL，旁边是 .journal · JSONL to write; the journal lies beside it", Required = true };
        var turns = new Option<string>("--turns") { Description = "last（论文）或 all · which replies get a chain of thought", DefaultValueFactory = _ => "last" };
        turns.AcceptOnlyFromAmong("last", "all");
        var rows = new Option<int?>("--rows") { Description = "最多多少轮 · most turns" };
        var tries = new Option<int>("--tries") { Description = "不合格时最多问几次 · answers asked for until one passes the gates", DefaultValueFactory = _ => 2 };
        var concurrency = new Option<int>("--concurrency") { Description = "同时请求数 · requests at once", DefaultValueFactory = _ => 8 };
        var tokens = new Option<long?>("--max-tokens-total") { Description = "本次最多用多少词元 · tokens this run may use" };
        var cost = new Option<double?>("--max-cost") { Description = "本次最多花多少钱 · money this run may spend" };
        var dryRun = new Option<bool>("--dry-run") { Description = "只估算，不请求 · estimate cost and time, ask nothing" };
        var partial = new Option<bool>("--partial") { Description = "没问完也写出 · write what there is even when some turns are unanswered" };
        var teacher = new TeacherFlags("");
        var doubter = new TeacherFlags("check-");
        var sources = new DataSourceOptions();
        var command = new Command("distill", "由教师模型写入思考链 · a teacher writes the chain of thought into counselling turns\n  psylite data distill runs/data/cpsycound.jsonl --endpoint https://api.deepseek.com --model deepseek-reasoner --price-in 4 --price-out 16 --dry-run --out runs/data/cot.jsonl")
        {
            files, output, turns, rows, tries, concurrency, tokens, cost, dryRun, partial,
        };
        teacher.AddTo(command);
        doubter.AddTo(command);
        sources.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var summary = new DataSummary();
            var options = new DistillOptions
            {
                Sources = [.. parsed.GetRequiredValue(files).Select(f => sources.Of(parsed, f))],
                Output = Path.GetFullPath(parsed.GetRequiredValue(output)),
                Turns = Enum.Parse<DistilledTurns>(parsed.GetRequiredValue(turns), ignoreCase: true),
                Rows = parsed.GetValue(rows),
                Tries = Math.Max(1, parsed.GetValue(tries)),
                Concurrency = Math.Clamp(parsed.GetValue(concurrency), 1, 512),
                TokenBudget = parsed.GetValue(tokens),
                CostBudget = parsed.GetValue(cost),
                IsPartial = parsed.GetValue(partial),
            };
            using var journal = AnswerJournal.Open(options.Journal);
            await using var first = teacher.Open(parsed, journal, TimeProvider.System) ?? throw new InvalidDataException("a teacher is needed: --endpoint http://127.0.0.1:11434 --model NAME");
            await using var second = doubter.Open(parsed, journal, TimeProvider.System);
            if (options.CostBudget is not null && new[] { first.Teacher, second?.Teacher }.All(t => t is null or { Options: { PriceIn: 0, PriceOut: 0 } }))
            {
                throw new InvalidDataException("--max-cost 需要价格：加上 --price-in 与 --price-out（每百万词元） · --max-cost needs prices: add --price-in and --price-out, of a million tokens.");
            }

            var run = new DistillRun(options, first.Teacher, second?.Teacher, journal);
            var estimate = run.Estimate(first.RequestsPerMinute, first.TokensPerMinute, cancellationToken);
            Console.Error.WriteLine(Words(estimate, first.Host));
            if (parsed.GetValue(dryRun))
            {
                return CommandBoundary.Done;
            }

            var report = await WithBarAsync(estimate, progress => run.RunAsync(estimate.Turns, progress, summary.OptionsOf(parsed), cancellationToken));
            await File.WriteAllTextAsync(options.Report, JsonSerializer.Serialize(report, Json), cancellationToken);
            Console.WriteLine(JsonSerializer.Serialize(report, Json));
            if (report.Unanswered > 0)
            {
                Console.Error.WriteLine($"psylite: {report.Unanswered} 轮还没有答案{(report.Stopped is null ? "" : $"（{report.Stopped}）")}，再运行同一命令即可续上 · turns are without an answer; run the same command again, nothing is paid twice.");
                return CommandBoundary.Failed;
            }

            return CommandBoundary.Done;
        });
        return command;
    }

    private static string Words(DistillEstimate e, string host) => string.Create(
        CultureInfo.InvariantCulture,
        $"{e.Turns:N0} 轮 turns ({e.OnRecord:N0} 已有答案 on record) -> {host}: ~{e.InputTokens:N0} + ~{e.OutputTokens:N0} 词元 tokens, ~{e.Cost:F2} 费用 cost, ~{e.Time:d\\.hh\\:mm\\:ss} 用时 time");

    private static async Task<DistillReport> WithBarAsync(DistillEstimate estimate, Func<IProgress<DistillProgress>?, Task<DistillReport>> run)
    {
        if (Console.IsErrorRedirected)
        {
            return await run(null);
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => run(new Bar(context.AddTask("distill", maxValue: Math.Max(1, estimate.Turns)))));
    }

    private sealed class Bar(ProgressTask task) : IProgress<DistillProgress>
    {
        public void Report(DistillProgress value)
        {
            task.Value = value.Done;
            task.Description = string.Create(CultureInfo.InvariantCulture, $"{value.Done}/{value.Total} {value.Tokens:N0} tok {value.Cost:F2}");
        }
    }
}
