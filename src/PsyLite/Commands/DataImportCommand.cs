using System.CommandLine;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Records;

namespace PsyLite.Commands;

/// <summary><c>psylite data import</c>: raw sources to records.</summary>
internal static class DataImportCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "文件或文件夹 · files or folders", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out") { Description = "输出 JSONL（.gz 则压缩）· JSONL to write, packed when it ends with .gz", Required = true };
        var name = new Option<string?>("--name") { Description = "数据集的名字 · name of the set, first part of the ids" };
        var scrub = new Option<bool>("--scrub") { Description = "去掉电话、身份证、邮箱、微信、QQ · take out phone, identity, e-mail, WeChat and QQ numbers" };
        var sources = new DataSourceOptions();
        var command = new Command("import", "导入原始数据 · raw sources to records\n  psylite data import CPsyCounD.json --licence CC-BY-4.0 --out runs/data/cpsycound.jsonl") { files, output, name, scrub };
        sources.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var summary = new DataSummary();
            var paths = parsed.GetRequiredValue(files);
            using var bar = new DataBars();
            var progress = bar.Begin("import", paths.Sum(RecordReading.Bytes));
            var manifest = ImportRun.Run(
                [.. paths.Select(p => sources.Of(parsed, p, parsed.GetValue(name)))], parsed.GetRequiredValue(output), parsed.GetValue(scrub), summary.OptionsOf(parsed), progress, cancellationToken);
            bar.Dispose();
            summary.Print(manifest);
            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }
}
