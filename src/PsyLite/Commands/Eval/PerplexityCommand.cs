using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PsyLite.Engine;
using PsyLite.Evaluation.Perplexity;
using PsyLite.Evaluation.Runs;
using PsyLite.Options;

namespace PsyLite.Commands.Eval;

/// <summary><c>psylite eval perplexity</c>.</summary>
internal static class PerplexityCommand
{
    public static Command Create()
    {
        var model = new ModelOptions();
        var target = new Option<string>("--out") { Description = "报告写到这个文件夹 · folder for the report", Required = true };
        var text = new Option<FileInfo>("--text") { Description = "UTF-8 文本 · text to foretell", Required = true };
        text.AcceptExistingOnly();
        var context = new Option<int>("--context") { Description = "每段词元数 · tokens of a chunk", DefaultValueFactory = _ => TextPerplexity.UsualContext };
        var chunks = new Option<int?>("--chunks") { Description = "只算前几段 · the first chunks only" };
        var name = new Option<string?>("--name") { Description = "这次运行叫什么 · what to call this run" };
        EvalFlags.AtLeastOne(context);
        EvalFlags.AtLeastOne(chunks);
        var command = new Command("perplexity", "困惑度，与 llama-perplexity 同义 · perplexity as llama-perplexity defines it\n  psylite eval perplexity --model FILE --text FILE --out reports/perplexity") { target, text, context, chunks, name };
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = model.Read(parsed);
            if (options.Engine != EngineKind.Llama)
            {
                throw new NotSupportedException("困惑度需要本地 GGUF · Perplexity needs a local GGUF file: --model FILE.");
            }

            var started = Stopwatch.GetTimestamp();
            var startedAt = TimeProvider.System.GetUtcNow();
            var path = parsed.GetRequiredValue(text).FullName;
            var bytes = await File.ReadAllBytesAsync(path, cancellationToken);
            using var loaded = LlamaModel.Load(Composition.EngineOptions(options), cancellationToken: cancellationToken);
            var result = TextPerplexity.Compute(loaded, Encoding.UTF8.GetString(bytes), parsed.GetValue(context), parsed.GetValue(chunks), Console.IsErrorRedirected ? null : new Line(), cancellationToken);
            var manifest = new RunManifest
            {
                Benchmark = "perplexity",
                Name = parsed.GetValue(name) ?? Path.GetFileNameWithoutExtension(options.ModelPath),
                Variant = "llama-perplexity",
                Model = new ModelFacts(Path.GetFileName(options.ModelPath), "llama.cpp") { Sha256 = await loaded.Sha256Async(cancellationToken), Description = loaded.Description },
                DataFolder = parsed.GetRequiredValue(text).ToString(),
                DataSha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
                Seed = 1,
                Settings = new Dictionary<string, string> { ["context"] = parsed.GetValue(context).ToString(CultureInfo.InvariantCulture) },
                CodeVersion = EvalRun.CodeVersion,
                StartedAt = startedAt,
                Seconds = Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 2),
            };
            var report = PerplexityReport.Of(manifest, result.Chunks, result.Tokens, result.ScoredTokens, result.StandardError);
            var folder = Directory.CreateDirectory(parsed.GetRequiredValue(target)).FullName;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"PPL = {report.Perplexity:0.0000} +/- {report.StandardError:0.00000}"));
            await EvalOutput.WriteAsync(folder, "perplexity", report, report.Page(), report.Figures, manifest, cancellationToken);
            return CommandBoundary.Done;
        });
        return command;
    }

    private sealed class Line : IProgress<(int Done, int Total)>
    {
        public void Report((int Done, int Total) value) => Console.Error.Write($"\r{value.Done}/{value.Total} {(value.Done == value.Total ? "\n" : "")}");
    }
}
