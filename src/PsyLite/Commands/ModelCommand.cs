using System.CommandLine;
using PsyLite.Commands.ModelFiles;

namespace PsyLite.Commands;

/// <summary><c>psylite model</c>: model files from a HuggingFace folder or a checkpoint to what any llama.cpp program reads.</summary>
internal static class ModelCommand
{
    public static Command Create()
    {
        var command = new Command("model", "模型文件 · model files");
        command.Subcommands.Add(ModelInitCommand.Create());
        command.Subcommands.Add(ModelInspectCommand.Create());
        command.Subcommands.Add(ModelConvertCommand.Create());
        command.Subcommands.Add(ModelMergeCommand.Create());
        command.Subcommands.Add(ModelQuantizeCommand.Create());
        command.Subcommands.Add(ModelExportCommand.Create());
        command.Subcommands.Add(ModelStoreCommands.Pull());
        command.Subcommands.Add(ModelStoreCommands.List());
        command.Subcommands.Add(ModelStoreCommands.Remove());
        return command;
    }
}
