using System.CommandLine;
using System.Diagnostics;
using PsyLite.Engine;
using PsyLite.Engine.Measuring;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;
using PsyLite.ModelStore;
using PsyLite.Options;

namespace PsyLite.Commands.ModelFiles;

/// <summary><c>psylite model init</c>: a file of a model's exact shape and weight with random numbers in it, for measuring.</summary>
internal static class ModelInitCommand
{
    private enum ModelFormat
    {
        Gguf,
        HuggingFace,
    }

    public static Command Create()
    {
        var preset = new Option<string>("--preset") { Description = string.Join(" | ", RandomInternLm2.Presets.Keys), Required = true };
        preset.AcceptOnlyFromAmong([.. RandomInternLm2.Presets.Keys]);
        var type = ChoiceOption.Of("--type", $"数值格式，默认 Q4_K_M · number format; Q4_K_M by default. {string.Join(" ", RandomInternLm2.Types)}", RandomInternLm2.Types.ToDictionary(t => t.ToString()));
        var seed = new Option<int>("--seed") { Description = "随机种子 · seed", DefaultValueFactory = _ => 1 };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "SentencePiece .model；默认内置词表 · the built-in vocabulary, filled up, by default" };
        var output = new Option<string>("--out") { Description = "输出 · file or folder to write", Required = true };
        var format = ChoiceOption.Of("--format", "gguf | hf（HuggingFace 文件夹，默认 bf16）· hf: a HuggingFace folder, in bf16 by default", new Dictionary<string, ModelFormat> { ["gguf"] = ModelFormat.Gguf, ["hf"] = ModelFormat.HuggingFace });
        var command = new Command("init", "按形状生成未训练模型，仅供测速 · an untrained model of a given shape, for measuring\n  psylite model init --preset internlm2.5-7b --type Q4_K_M --out runs/7b.q4_k_m.gguf\n  psylite model init --preset internlm2.5-1.8b --format hf --out runs/1.8b-hf")
        {
            preset, type, seed, tokenizer, format, output,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(output));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var config = RandomInternLm2.Presets[parsed.GetRequiredValue(preset)];
            var isFolder = parsed.GetValue(format) == ModelFormat.HuggingFace;
            var stored = parsed.GetValue(type) ?? (isFolder ? QuantizedType.BF16 : QuantizedType.Q4_K_M);
            var bytes = RandomInternLm2.TensorBytes(config, stored);
            DiskSpace.Require(Path.GetDirectoryName(path)!, bytes);
            var vocabulary = Vocabulary(parsed.GetValue(tokenizer));
            var clock = Stopwatch.StartNew();
            using (var bar = new TransferBar(Path.GetFileName(path), bytes))
            {
                if (isFolder)
                {
                    RandomInternLm2.WriteFolder(path, config, vocabulary, stored, parsed.GetValue(seed), bar.Add, cancellationToken);
                }
                else
                {
                    RandomInternLm2.Write(path, config, vocabulary, stored, parsed.GetValue(seed), bar.Add, cancellationToken);
                }
            }

            Console.WriteLine($"{path}: {bytes} bytes of tensors, {InternLm2Gguf.Shapes(config).Sum(t => t.Shape.Aggregate(1L, (a, b) => a * b))} parameters, untrained, {clock.Elapsed.TotalSeconds:F0} s");
            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }

    private static SentencePieceModel Vocabulary(string? path)
    {
        if (path is not null)
        {
            return SentencePieceModel.Load(path);
        }

        using var builtIn = GgufReader.Open(AppOptions.BuiltInModel);
        return InternLm2Gguf.ReadVocabulary(builtIn);
    }
}
