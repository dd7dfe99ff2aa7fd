using System.CommandLine;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Synthetic;

namespace PsyLite.Commands;

/// <summary><c>psylite data generate</c>: raw sources of any size to measure with; left out of the help.</summary>
internal static class DataGenerateCommand
{
    public static Command Create()
    {
        var kind = new Argument<string>("kind") { Description = "r1distill | cpsycoun | saferlhf" };
        kind.AcceptOnlyFromAmong("r1distill", "cpsycoun", "saferlhf");
        var output = new Option<string>("--out") { Description = "输出文件 · file to write", Required = true };
        var rows = new Option<int>("--rows") { Description = "行数 · rows", DefaultValueFactory = _ => 1000 };
        var seed = new Option<int>("--seed") { Description = "随机种子 · seed", DefaultValueFactory = _ => 1 };
        var corpora = new Option<string>("--corpora") { Description = "语料目录 · folder of building blocks", DefaultValueFactory = _ => "corpora" };
        var command = new Command("generate", "造测量用的原始数据 · make raw sources to measure with\n  psylite data generate saferlhf --rows 81000 --out runs/safe.jsonl") { kind, output, rows, seed, corpora };
        command.Hidden = true;
        command.SetAction((parsed, cancellationToken) =>
        {
            var facts = new SourceGenerator(TextCorpus.Read(parsed.GetRequiredValue(corpora)))
                .Write(Enum.Parse<SyntheticKind>(parsed.GetRequiredValue(kind), ignoreCase: true), parsed.GetValue(rows), parsed.GetValue(seed), parsed.GetRequiredValue(output), cancellationToken);
            Console.WriteLine($"{facts.Name}: {facts.Rows} lines, {facts.Bytes / 1e6:F1} MB");
            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }
}
