using System.CommandLine;
using PsyLite.Engine;
using PsyLite.ModelStore;

namespace PsyLite.Commands.ModelFiles;

/// <summary><c>psylite model quantize</c>: llama.cpp's quantiser with all its types.</summary>
internal static class ModelQuantizeCommand
{
    /// <summary>The names that llama-quantize takes, its short forms included; llama.cpp reads NVFP4 but does not make it.</summary>
    private static readonly Dictionary<string, QuantizedType> Types = new(Enum.GetValues<QuantizedType>().Where(t => t != QuantizedType.NVFP4).Select(t => KeyValuePair.Create(t.ToString(), t)))
    {
        ["Q3_K"] = QuantizedType.Q3_K_M,
        ["Q4_K"] = QuantizedType.Q4_K_M,
        ["Q5_K"] = QuantizedType.Q5_K_M,
    };

    public static Command Create()
    {
        var input = new Option<string>("--in") { Description = "F16、BF16 或 F32 的 GGUF · GGUF in F16, BF16 or F32", Required = true };
        var output = new Option<string>("--out") { Description = "输出 · file to write", Required = true };
        var type = ChoiceOption.Of("--type", "量化类型，默认 Q4_K_M · type; Q4_K_M by default", Types);
        var imatrix = new Option<string>("--imatrix") { Description = "重要性矩阵，约三比特及以下的类型必需 · importance matrix of llama-imatrix; IQ1, IQ2, Q2_K_S, IQ3_XXS and IQ3_XS need it" };
        var requantize = new Option<bool>("--allow-requantize") { Description = "允许输入已量化，有损 · takes a quantised input, at a loss" };
        var pure = new Option<bool>("--pure") { Description = "所有矩阵同一类型 · one type for every matrix" };
        var threads = new Option<int?>("--threads") { Description = "线程数 · threads; all cores by default" };
        threads.Validators.Add(result =>
        {
            if (result.GetValue(threads) is < 1 or > 512)
            {
                result.AddError("--threads 须在 1 到 512 之间 · must be between 1 and 512");
            }
        });
        var command = new Command("quantize", "用 llama.cpp 量化 · quantise by llama.cpp\n  psylite model quantize --in runs/7b.f16.gguf --out runs/7b.q4_k_m.gguf --type Q4_K_M")
        {
            input, output, type, imatrix, requantize, pure, threads,
        };
        command.SetAction(parsed =>
        {
            var (source, path) = (parsed.GetRequiredValue(input), Path.GetFullPath(parsed.GetRequiredValue(output)));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (File.Exists(source))
            {
                DiskSpace.Require(Path.GetDirectoryName(path)!, new FileInfo(source).Length / 2);
            }

            var options = new QuantizeOptions
            {
                Importance = parsed.GetValue(imatrix) is { } matrix ? ImportanceMatrix.Read(matrix) : null,
                AllowRequantize = parsed.GetValue(requantize),
                Pure = parsed.GetValue(pure),
                Threads = parsed.GetValue(threads),
            };
            using (var bar = new StepBar(Path.GetFileName(path)))
            {
                LlamaQuantizer.Quantize(source, path, parsed.GetValue(type) ?? QuantizedType.Q4_K_M, options, bar.Show);
            }

            Console.WriteLine($"{path}: {new FileInfo(path).Length} bytes");
            return CommandBoundary.Done;
        });
        return command;
    }
}
