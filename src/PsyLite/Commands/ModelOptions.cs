using System.CommandLine;
using PsyLite.ModelStore;
using PsyLite.Options;

namespace PsyLite.Commands;

/// <summary>The --model flag, alike in every command that converses.</summary>
internal static class ModelOptions
{
    public static Option<string?> Model() => new("--model") { Description = "GGUF 文件或已下载模型的名字，默认内置 · model file or the name of a pulled model; the built-in one by default" };

    /// <summary>Environment, then flags; the name of a pulled model becomes its file.</summary>
    public static AppOptions Read(ParseResult parsed, Option<string?> model)
    {
        var options = AppOptions.FromEnvironment();
        options = parsed.GetValue(model) is { Length: > 0 } given ? options with { Model = given } : options;
        if (options.Model is not { } name || File.Exists(name))
        {
            return options;
        }

        var folder = new ModelFolder(options.Models);
        return folder.Find(name) is { } pulled ? options with { Model = folder.PathOf(pulled.Model) } : options;
    }
}
