using System.CommandLine;
using PsyLite.Agent.Prompts;
using PsyLite.Training.Data;

namespace PsyLite.Commands;

/// <summary><c>psylite data</c>: text in, training samples out.</summary>
internal static class DataCommand
{
    /// <summary>The agent's own prompts, as the composer needs them.</summary>
    public static ComposerPrompts Prompts { get; } =
        new(PromptText.Judge, PromptText.JudgeLabels[0], PromptText.JudgeLabels[1], PromptText.JudgeLabels[2]);

    public static Command Create()
    {
        var command = new Command("data", "训练数据 · training data");
        command.Subcommands.Add(Compose());
        return command;
    }

    private static Command Compose()
    {
        var corpora = new Option<string>("--corpora") { Description = "语料目录 · folder of building blocks", DefaultValueFactory = _ => "corpora" };
        var output = new Option<string>("--out") { Description = "输出文件 · JSONL to write", Required = true };
        var count = new Option<int>("--samples") { Description = "样本数 · number of samples", DefaultValueFactory = _ => 10000 };
        var seed = new Option<int>("--seed") { Description = "随机种子 · seed", DefaultValueFactory = _ => 1 };
        var heldOut = new Option<bool>("--held-out") { Description = "只用留出的内容 · held-back blocks only" };
        var command = new Command("compose", "由语料块生成对话样本 · compose conversations from the building blocks\n  psylite data compose --out runs/samples.jsonl --samples 10000 --seed 1")
        {
            corpora, output, count, seed, heldOut,
        };
        command.SetAction(parsed =>
        {
            var composer = new DialogueComposer(TextCorpus.Read(parsed.GetRequiredValue(corpora)), Prompts, parsed.GetValue(heldOut));
            var path = Path.GetFullPath(parsed.GetRequiredValue(output));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var samples = composer.Compose(parsed.GetValue(seed)).Take(parsed.GetValue(count)).ToList();
            File.WriteAllLines(path + ".part", samples.Select(s => s.ToJson()));
            File.Move(path + ".part", path, overwrite: true);
            foreach (var n in new[] { 2, 4, 8 })
            {
                var (distinct, total, ratio) = TextDiversity.DistinctN(samples.SelectMany(s => s.Messages.Select(m => m.Content)), n);
                Console.WriteLine($"distinct-{n}: {ratio:F4} ({distinct} / {total})");
            }

            Console.WriteLine($"{samples.Count} samples -> {path}");
            return 0;
        });
        return command;
    }
}
