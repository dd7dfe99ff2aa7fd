using System.CommandLine;
using PsyLite.Options;

namespace PsyLite.Commands;

/// <summary>The --model flag, alike in every command that converses.</summary>
internal static class ModelOptions
{
    public static Option<string?> Model() => new("--model") { Description = "GGUF 模型文件 · model file; the built-in one by default" };

    /// <summary>Environment, then flags.</summary>
    public static AppOptions Read(ParseResult parsed, Option<string?> model)
    {
        var options = AppOptions.FromEnvironment();
        return parsed.GetValue(model) is { Length: > 0 } file ? options with { Model = file } : options;
    }
}
