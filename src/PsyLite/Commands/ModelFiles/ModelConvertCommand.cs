using System.CommandLine;
using PsyLite.Models.Gguf;
using PsyLite.Models.Safetensors;

namespace PsyLite.Commands.ModelFiles;

/// <summary><c>psylite model convert</c>: HuggingFace folders, checkpoints and adapters to GGUF, and back to HuggingFace.</summary>
internal static class ModelConvertCommand
{
    public static Command Create()
    {
        var input = new Option<string>("--in", "--checkpoint") { Description = "HuggingFace 文件夹、检查点或 GGUF · HuggingFace folder, checkpoint or GGUF" };
        var adapter = new Option<string>("--adapter") { Description = "LoRA 文件夹，转为运行时适配器 · LoRA folder, to a run-time adapter; needs --base" };
        var baseModel = new Option<string>("--base") { Description = "适配器的基座 · the model that the adapter was trained on" };
        var recipe = ModelWriting.RecipeOption();
        var output = new Option<string>("--out") { Description = "*.gguf，否则写成 HuggingFace 文件夹 · *.gguf, any other name becomes a HuggingFace folder", Required = true };
        var type = ModelWriting.TypeOption();
        var command = new Command(
            "convert",
            """
            转换模型文件 · convert a model
              psylite model convert --in models/internlm2_5-7b-chat --out runs/7b.f16.gguf --type f16
              psylite model convert --checkpoint runs/mini-sft/last.ckpt --recipe recipes/mini.sft.json --out runs/mini-hf
              psylite model convert --adapter runs/lora --base models/internlm2_5-7b-chat --out runs/lora.gguf
            """)
        {
            input, adapter, baseModel, recipe, output, type,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(input) is null == result.GetResult(adapter) is null || result.GetResult(adapter) is null != result.GetResult(baseModel) is null)
            {
                result.AddError("请给出 --in，或 --adapter 与 --base · give --in, or --adapter with --base");
            }
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            if (parsed.GetValue(adapter) is { } folder)
            {
                ConvertAdapter(folder, parsed.GetRequiredValue(baseModel), parsed.GetValue(recipe), parsed.GetRequiredValue(output), parsed.GetValue(type) ?? GgmlType.F32);
            }
            else
            {
                using var model = SourceModel.Open(parsed.GetRequiredValue(input), parsed.GetValue(recipe));
                ModelWriting.Write(model, model.Tensors, parsed.GetRequiredValue(output), parsed.GetValue(type) ?? model.Stored, cancellationToken);
            }

            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }

    private static void ConvertAdapter(string folder, string baseModel, string? recipe, string output, GgmlType type)
    {
        if (!ModelWriting.IsGguf(output))
        {
            throw new InvalidDataException($"--out {output}: an adapter becomes a .gguf file; to change the weights themselves use psylite model merge.");
        }

        using var adapter = PeftAdapter.Open(folder);
        using var model = SourceModel.Open(baseModel, recipe);
        var path = Path.GetFullPath(output);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        LoraGguf.Write(path, model.Config, adapter, type);
        Console.WriteLine($"{path}: {new FileInfo(path).Length} bytes, {adapter.Modules.Count} layers, r {adapter.Config.Rank}, alpha {adapter.Config.Alpha}");
    }
}
