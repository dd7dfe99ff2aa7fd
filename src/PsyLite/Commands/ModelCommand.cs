using System.CommandLine;
using System.Globalization;
using PsyLite.Engine;
using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;
using PsyLite.Training;

namespace PsyLite.Commands;

/// <summary><c>psylite model</c>: from a checkpoint of our trainer to a file that any llama.cpp program reads.</summary>
internal static class ModelCommand
{
    public static Command Create()
    {
        var command = new Command("model", "模型文件 · model files");
        command.Subcommands.Add(ModelInitCommand.Create());
        command.Subcommands.Add(Convert());
        command.Subcommands.Add(Quantize());
        command.Subcommands.Add(Inspect());
        command.Subcommands.Add(ModelStoreCommands.Pull());
        command.Subcommands.Add(ModelStoreCommands.List());
        command.Subcommands.Add(ModelStoreCommands.Remove());
        return command;
    }

    private static Command Convert()
    {
        var checkpoint = new Option<string>("--checkpoint") { Description = "训练检查点 · checkpoint of the trainer", Required = true };
        var recipe = new Option<string>("--recipe") { Description = "该检查点的配方 · the recipe that made it", Required = true };
        var output = new Option<string>("--out") { Description = "输出 GGUF · GGUF to write", Required = true };
        var type = new Option<GgmlType>("--type") { Description = "F32 或 F16 · F32 or F16", DefaultValueFactory = _ => GgmlType.F32 };
        var command = new Command("convert", "检查点转 GGUF · checkpoint to GGUF\n  psylite model convert --checkpoint runs/mini-sft/last.ckpt --recipe recipes/mini.sft.json --out runs/mini.f32.gguf")
        {
            checkpoint, recipe, output, type,
        };
        command.SetAction(parsed =>
        {
            var wanted = parsed.GetValue(type);
            if (wanted is not (GgmlType.F32 or GgmlType.F16))
            {
                throw new InvalidDataException($"--type {wanted} is not F32 or F16; quantise afterwards with `psylite model quantize`.");
            }

            var options = RecipeOptions.Read(parsed.GetRequiredValue(recipe), []);
            using var weights = new ParameterSet(options.Model);
            Checkpoint.LoadWeights(parsed.GetRequiredValue(checkpoint), weights);
            var tensors = weights.All.ToDictionary(p => p.Name, p => new TensorSource(
                p.IsVector ? [p.Columns] : [p.Rows, p.Columns],
                (start, destination) => p.Values.Slice(checked((int)start), destination.Length).CopyTo(destination)));
            var path = Path.GetFullPath(parsed.GetRequiredValue(output));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            InternLm2Gguf.Write(path, options.Model, SentencePieceModel.Load(options.Tokenizer), tensors, wanted, new ModelCard(options.Name, "PsyLite's small demonstration model", "apache-2.0"));
            Console.WriteLine($"{path}: {new FileInfo(path).Length} bytes, {weights.Count} parameters");
            return CommandBoundary.Done;
        });
        return command;
    }

    private static Command Quantize()
    {
        var source = new Argument<string>("source") { Description = "F32/F16 GGUF" };
        var target = new Argument<string>("target") { Description = "输出 · file to write" };
        var type = new Option<QuantizedType>("--type") { Description = "量化类型 · type", DefaultValueFactory = _ => QuantizedType.Q4_K_M };
        var command = new Command("quantize", "用 llama.cpp 量化 · quantise by llama.cpp\n  psylite model quantize runs/mini.f32.gguf runs/mini.q4_k_m.gguf --type Q4_K_M") { source, target, type };
        command.SetAction(parsed =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(target));
            LlamaQuantizer.Quantize(parsed.GetRequiredValue(source), path, parsed.GetValue(type));
            Console.WriteLine($"{path}: {new FileInfo(path).Length} bytes");
            return CommandBoundary.Done;
        });
        return command;
    }

    private static Command Inspect()
    {
        var source = new Argument<string>("file") { Description = "GGUF" };
        var command = new Command("inspect", "查看 GGUF 的元数据与张量 · metadata and tensors of a GGUF\n  psylite model inspect models/psylite-mini/psylite-mini.q4_k_m.gguf") { source };
        command.SetAction(parsed =>
        {
            using var file = GgufReader.Open(parsed.GetRequiredValue(source));
            foreach (var (key, value) in file.Metadata)
            {
                var text = value is Array array ? $"[{array.Length}]" : System.Convert.ToString(value, CultureInfo.InvariantCulture)!.ReplaceLineEndings("\\n");
                Console.WriteLine($"{key} = {(text.Length > 120 ? text[..120] + "…" : text)}");
            }

            foreach (var tensor in file.Tensors)
            {
                Console.WriteLine($"{tensor.Name} {tensor.Type} [{string.Join(", ", tensor.Shape)}]");
            }

            Console.WriteLine($"{file.Tensors.Count} tensors, {file.Tensors.Sum(t => t.Count)} parameters, {file.Tensors.Sum(t => t.ByteCount)} bytes");
            return CommandBoundary.Done;
        });
        return command;
    }
}
