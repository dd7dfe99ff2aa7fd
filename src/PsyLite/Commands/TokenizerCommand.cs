using System.CommandLine;
using PsyLite.Models.Text;
using PsyLite.Training.Data;

namespace PsyLite.Commands;

/// <summary><c>psylite train tokenizer</c>: a SentencePiece vocabulary from the text of our own.</summary>
internal static class TokenizerCommand
{
    // Enough samples for every wording of every building block to appear.
    private const int Samples = 60_000;

    public static Command Create()
    {
        var recipe = new Option<string>("--recipe") { Description = "词表配方 · recipe (JSON)", Required = true };
        var corpora = new Option<string>("--corpora") { Description = "语料目录 · folder of building blocks", DefaultValueFactory = _ => "corpora" };
        var output = new Option<string>("--out") { Description = "输出 .model · file to write", DefaultValueFactory = _ => "models/psylite-mini/tokenizer.model" };
        var command = new Command("tokenizer", "训练 SentencePiece 词表（需要 Debian 的 sentencepiece 包）· train the vocabulary\n  psylite train tokenizer --recipe recipes/mini.tokenizer.json")
        {
            recipe, corpora, output,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var composer = new DialogueComposer(TextCorpus.Read(parsed.GetRequiredValue(corpora)), DataCommand.Prompts, heldOut: false);
            var lines = composer.Compose(seed: 9).Take(Samples).SelectMany(s => s.Messages).SelectMany(m => new[] { m.Content, m.Reasoning ?? "" })
                .Where(t => t.Length > 0).Distinct(StringComparer.Ordinal).ToList();
            var path = Path.GetFullPath(parsed.GetRequiredValue(output));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var model = await TokenizerTraining.RunAsync(TokenizerRecipe.Load(parsed.GetRequiredValue(recipe)), lines, path, cancellationToken);
            Console.WriteLine($"{path}: {model.VocabSize} pieces from {lines.Count} lines");
            return CommandBoundary.Done;
        });
        return command;
    }
}
