using System.CommandLine;
using PsyLite.Models.Safetensors;

namespace PsyLite.Commands.ModelFiles;

/// <summary><c>psylite model merge</c>: LoRA adapters into the weights they were trained on, stage after stage.</summary>
internal static class ModelMergeCommand
{
    public static Command Create()
    {
        var baseModel = new Option<string>("--base") { Description = "HuggingFace 文件夹、检查点或 GGUF · HuggingFace folder, checkpoint or GGUF", Required = true };
        var adapters = new Option<string[]>("--adapter") { Description = "PEFT、XTuner 或 LLaMA-Factory 的 LoRA 文件夹，按训练先后给出 · LoRA folders, in the order of training", Required = true, Arity = ArgumentArity.OneOrMore };
        var recipe = ModelWriting.RecipeOption();
        var output = new Option<string>("--out") { Description = "HuggingFace 文件夹，或 *.gguf · HuggingFace folder, or *.gguf", Required = true };
        var type = ModelWriting.TypeOption();
        var command = new Command(
            "merge",
            """
            把 LoRA 合并进权重 · merge LoRA adapters into the weights
              psylite model merge --base models/internlm2_5-7b-chat --adapter runs/sft-lora --adapter runs/orpo-lora --out runs/merged
            """)
        {
            baseModel, adapters, recipe, output, type,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var opened = new List<PeftAdapter>();
            try
            {
                opened.AddRange(parsed.GetRequiredValue(adapters).Select(PeftAdapter.Open));
                using var model = SourceModel.Open(parsed.GetRequiredValue(baseModel), parsed.GetValue(recipe));
                ModelWriting.Write(model, new LoraMerge(opened).Apply(model.Tensors), parsed.GetRequiredValue(output), parsed.GetValue(type) ?? model.Stored, cancellationToken);
            }
            finally
            {
                opened.ForEach(a => a.Dispose());
            }

            return Task.FromResult(CommandBoundary.Done);
        });
        return command;
    }
}
