using System.CommandLine;
using System.Globalization;
using PsyLite.Training.Data.Mix;

namespace PsyLite.Commands;

/// <summary><c>psylite data mix</c>: sources in their shares to one set for the fine-tuning.</summary>
internal static class DataMixCommand
{
    public static Command Create()
    {
        var from = new Option<string[]>("--source") { Description = "来源:份额 · source and its share, as in general.jsonl:10", Required = true, AllowMultipleArgumentsPerToken = true };
        var output = new Option<string>("--out") { Description = "输出文件夹 · folder to write to", Required = true };
        var rows = new Option<int?>("--rows") { Description = "总行数，默认取份额允许的最多 · rows in all; as many as the shares allow by default" };
        var split = new Option<string>("--split") { Description = "划分，整段对话不拆开 · parts; a dialogue stays whole", DefaultValueFactory = _ => "train=1" };
        var seed = new Option<int>("--seed") { Description = "随机种子 · seed", DefaultValueFactory = _ => 1 };
        var near = new Option<string>("--near") { Description = "近似重复的相似度 0.5–1，或 off · similarity of near duplicates, or off", DefaultValueFactory = _ => "0.8" };
        var against = new Option<string[]>("--against") { Description = "评测集：与之重合的行不要 · evaluation sets whose text may not be in the mix", AllowMultipleArgumentsPerToken = true };
        var history = new Option<string>("--history") { Description = "对话历史写进 inside（instruction）或 field（history 字段）· where earlier turns go", DefaultValueFactory = _ => "inside" };
        var reasoning = new Option<bool>("--reasoning") { Description = "只要带思考的行 · only rows with reasoning" };
        history.AcceptOnlyFromAmong("inside", "field");
        var sources = new DataSourceOptions();
        var command = new Command("mix", "按比例混合、去重、查泄漏、划分 · mix by shares, without duplicates and evaluation sets\n  psylite data mix --source general.jsonl:10 counsel.jsonl:3 --rows 13000 --min-score 9 --out runs/mix")
        {
            from, output, rows, split, seed, near, against, history, reasoning,
        };
        sources.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var summary = new DataSummary();
            var options = new MixOptions
            {
                Sources = [.. parsed.GetRequiredValue(from).Select(DataSourceOptions.WithShare).Select(s => new MixSource(sources.Of(parsed, s.Path), s.Share))],
                Rows = parsed.GetValue(rows),
                Splits = Splits(parsed.GetRequiredValue(split)),
                Seed = parsed.GetValue(seed),
                Duplicates = Similarity(parsed.GetRequiredValue(near)),
                Against = parsed.GetValue(against) ?? [],
                History = parsed.GetRequiredValue(history) == "field" ? AlpacaHistory.Field : AlpacaHistory.Inside,
                NeedsReasoning = parsed.GetValue(reasoning),
            }.Validated();
            using var bars = new DataBars();
            var manifest = MixRun.Run(options, parsed.GetRequiredValue(output), summary.OptionsOf(parsed), bars, cancellationToken);
            bars.Dispose();
            summary.Print(manifest);
            if (manifest.Counts["rows wanted"] > manifest.Outputs.Where(o => o.Name.EndsWith(".records.jsonl", StringComparison.Ordinal)).Sum(o => o.Rows))
            {
                Console.Error.WriteLine("psylite: 来源不够，按份额缩小了 · a source has too few rows; the mix was made smaller to keep the shares.");
            }

            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }

    /// <exception cref="InvalidDataException">It is neither a similarity nor off.</exception>
    public static double? Similarity(string text) => text == "off" ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value is >= 0.5 and <= 1 ? value
        : throw new InvalidDataException($"--near {text}: write a similarity from 0.5 to 1, or off.");

    private static List<MixSplit> Splits(string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part =>
            part.Split('=') is [var name, var share] && double.TryParse(share, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                ? new MixSplit(name, value)
                : throw new InvalidDataException($"--split {text}: write names and shares, as in train=0.98,valid=0.02."))];
}
