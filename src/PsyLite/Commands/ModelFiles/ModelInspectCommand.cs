using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PsyLite.Commands.ModelFiles;

/// <summary><c>psylite model inspect</c>: what a model file or folder holds.</summary>
internal static class ModelInspectCommand
{
    private const int ShownCharacters = 120;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var source = new Argument<string>("path") { Description = "GGUF、safetensors、检查点，或 HuggingFace、LoRA 文件夹 · GGUF, safetensors, checkpoint, or a HuggingFace or LoRA folder" };
        var json = new Option<bool>("--json") { Description = "输出 JSON · print JSON" };
        var command = new Command("inspect", "查看模型的结构、大小、类型与模板 · architecture, sizes, types and template\n  psylite model inspect models/psylite-mini/psylite-mini.q4_k_m.gguf --json") { source, json };
        command.SetAction(parsed =>
        {
            var report = ModelReport.Of(parsed.GetRequiredValue(source));
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(report, Json));
            }
            else
            {
                Print(report);
            }

            return CommandBoundary.Done;
        });
        return command;
    }

    private static void Print(ModelReport report)
    {
        foreach (var (key, value) in report.Metadata)
        {
            var text = value is Array array ? $"[{array.Length}]" : Convert.ToString(value, CultureInfo.InvariantCulture)!.ReplaceLineEndings("\\n");
            Console.WriteLine($"{key} = {(text.Length > ShownCharacters ? text[..ShownCharacters] + "…" : text)}");
        }

        foreach (var tensor in report.Tensors)
        {
            Console.WriteLine($"{tensor.Name} {tensor.Type} [{string.Join(", ", tensor.Shape)}]");
        }

        if (report.Template is { } template)
        {
            Console.WriteLine($"template: {template.ReplaceLineEndings("\\n")}");
        }

        var types = string.Join(", ", report.Types.Select(t => $"{t.Key} {t.Value / 1e6:0.0} MB"));
        Console.WriteLine($"{report.Kind} {report.Architecture}: {report.Tensors.Count} tensors, {report.Parameters} parameters, {report.Bytes} bytes ({types})");
    }
}
