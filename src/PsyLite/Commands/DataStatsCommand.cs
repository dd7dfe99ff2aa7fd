using System.CommandLine;
using System.Text.Json;
using PsyLite.DataPipeline;
using PsyLite.Evaluation.Data;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;
using PsyLite.Options;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Records;

namespace PsyLite.Commands;

/// <summary><c>psylite data stats</c>: what a set is made of, as a page to read and as JSON.</summary>
internal static class DataStatsCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "文件或文件夹 · files or folders", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out") { Description = "输出网页，旁边是同名 JSON · page to write; JSON of the same name beside it", Required = true };
        var vocabulary = new Option<string?>("--tokenizer") { Description = "词表：tokenizer.model 或 GGUF，默认内置模型的 · vocabulary; the built-in model's by default" };
        var sources = new DataSourceOptions();
        var command = new Command("stats", "统计与图 · lengths, topics, turns, duplicates, safety, licences as a page\n  psylite data stats runs/mix/train.records.jsonl --out runs/mix/stats.html") { files, output, vocabulary };
        sources.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var tokenizer = Read(parsed.GetValue(vocabulary) ?? AppOptions.BuiltInModel);
            var paths = parsed.GetRequiredValue(files);
            var manifest = new DataManifest("data stats");
            var count = new DatasetCount(text => tokenizer.Encode(text, allowSpecial: false).Length);
            using (var bars = new DataBars())
            {
                var progress = bars.Begin("stats", paths.Sum(RecordReading.Bytes));
                count.Add(RecordReading.Records(paths.Select(p => sources.Of(parsed, p)), manifest, null, cancellationToken, progress), cancellationToken);
            }

            var figures = count.Figures([.. manifest.Inputs.Select(i => i.Name)], manifest.Counts.GetValueOrDefault("rejected"), cancellationToken);
            if (figures.Rows == 0)
            {
                throw new InvalidDataException($"{string.Join(", ", paths)}: no row could be read ({manifest.Counts.GetValueOrDefault("rejected")} rejected); `psylite data import` says why.");
            }

            var page = Path.GetFullPath(parsed.GetRequiredValue(output));
            Directory.CreateDirectory(Path.GetDirectoryName(page)!);
            Write(page, DatasetPage.Write(figures));
            Write(Path.ChangeExtension(page, ".json"), JsonSerializer.Serialize(figures, new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n");
            Console.WriteLine($"{figures.Rows} rows, {figures.Tokens} tokens, {figures.NearDuplicates} near duplicates -> {page}");
            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }

    private static void Write(string path, string text)
    {
        File.WriteAllText(path + ".part", text);
        File.Move(path + ".part", path, overwrite: true);
    }

    private static SentencePieceTokenizer Read(string path)
    {
        if (!path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
        {
            return new SentencePieceTokenizer(SentencePieceModel.Parse(File.ReadAllBytes(path)));
        }

        using var file = GgufReader.Open(path);
        return new SentencePieceTokenizer(InternLm2Gguf.ReadVocabulary(file));
    }
}
