using System.CommandLine;
using PsyLite.Agent.Prompts;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Records;

namespace PsyLite.Commands;

/// <summary><c>psylite data</c>: from raw sources to what the trainer reads (docs/data.md).</summary>
internal static class DataCommand
{
    /// <summary>The agent's own prompts, as the composer needs them.</summary>
    public static ComposerPrompts Prompts { get; } =
        new(PromptText.Judge, PromptText.JudgeLabels[0], PromptText.JudgeLabels[1], PromptText.JudgeLabels[2]);

    public static Command Create()
    {
        var command = new Command("data", "训练数据 · training data");
        command.Subcommands.Add(DataImportCommand.Create());
        command.Subcommands.Add(DataDistillCommand.Create());
        command.Subcommands.Add(DataMixCommand.Create());
        command.Subcommands.Add(DataPreferencesCommand.Create());
        command.Subcommands.Add(DataStatsCommand.Create());
        command.Subcommands.Add(Compose());
        command.Subcommands.Add(DataGenerateCommand.Create());
        return command;
    }

    private static Command Compose()
    {
        var corpora = new Option<string>("--corpora") { Description = "语料目录 · folder of building blocks", DefaultValueFactory = _ => "corpora" };
        var output = new Option<string>("--out") { Description = "输出文件 · JSONL to write", Required = true };
        var count = new Option<int>("--samples") { Description = "样本数 · number of samples", DefaultValueFactory = _ => 10000 };
        var seed = new Option<int>("--seed") { Description = "随机种子 · seed", DefaultValueFactory = _ => 1 };
        var judge = Share("--judge", "判断练习占比 · share of the mood judge's exercises", 0.1);
        var gist = Share("--gist", "话题练习占比 · share of exercises in naming the subject", 0.2);
        var change = Share("--change", "先聊别的再换话题的占比 · share that begins with another subject", 0.3);
        var heldOut = new Option<bool>("--held-out") { Description = "只用留出的内容 · held-back blocks only" };
        var command = new Command("compose", "由语料块生成对话样本 · compose conversations from the building blocks\n  psylite data compose --out runs/samples.jsonl --samples 10000 --seed 1")
        {
            corpora, output, count, seed, judge, gist, change, heldOut,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var summary = new DataSummary();
            var manifest = new DataManifest("data compose") { Options = summary.OptionsOf(parsed), Seed = parsed.GetValue(seed) };
            var composer = new DialogueComposer(TextCorpus.Read(parsed.GetRequiredValue(corpora)), Prompts, parsed.GetValue(heldOut), new SampleMix(parsed.GetValue(judge), parsed.GetValue(gist), parsed.GetValue(change)));
            var path = parsed.GetRequiredValue(output);
            var said = new List<string>();
            using var file = OutputFile.Create(path);
            foreach (var sample in composer.Compose(parsed.GetValue(seed)).Take(parsed.GetValue(count)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var record = new DataRecord($"composed/{file.Rows + 1}", sample.Kind, sample.Source, sample.Messages) { Group = sample.Source, Topic = sample.Source.Split('/')[1], Licence = "Apache-2.0" };
                manifest.Add(record);
                file.WriteLine(record.ToUtf8());
                said.AddRange(sample.Messages.Select(m => m.Content));
            }

            manifest.Outputs.Add(file.Commit());
            manifest.Write(DataManifest.PathOf(path));
            foreach (var n in new[] { 2, 4, 8 })
            {
                var (distinct, total, ratio) = TextDiversity.DistinctN(said, n);
                Console.WriteLine($"distinct-{n}: {ratio:F4} ({distinct} / {total})");
            }

            summary.Print(manifest);
            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }

    private static Option<double> Share(string name, string description, double value)
    {
        var option = new Option<double>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0 and <= 1))
            {
                result.AddError($"{name} must be between 0 and 1.");
            }
        });
        return option;
    }
}
