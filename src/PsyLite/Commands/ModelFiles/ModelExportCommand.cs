using System.CommandLine;
using PsyLite.Models.Gguf;
using PsyLite.Models.Text;
using PsyLite.ModelStore;

namespace PsyLite.Commands.ModelFiles;

/// <summary><c>psylite model export-ollama</c>: a model as a folder that <c>ollama create</c> takes.</summary>
internal static class ModelExportCommand
{
    /// <summary>The chat format of InternLM2 in the template language of Ollama (Go's text/template).</summary>
    private const string Template =
        "{{- range $i, $_ := .Messages }}{{- $last := eq (len (slice $.Messages $i)) 1 }}<|im_start|>{{ .Role }}\n{{ .Content }}"
        + "{{- if not (and $last (eq .Role \"assistant\")) }}<|im_end|>\n{{ end }}{{- end }}"
        + "{{- if ne (index .Messages (len (slice .Messages 1))).Role \"assistant\" }}<|im_start|>assistant\n{{ end }}";

    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "GGUF", Required = true };
        var output = new Option<string>("--out") { Description = "输出文件夹 · folder to write", Required = true };
        var system = new Option<string?>("--system") { Description = "系统提示词文件 · file with a system prompt" };
        var temperature = new Option<float>("--temperature") { Description = "采样温度 · sampling temperature", DefaultValueFactory = _ => 0.7f };
        var command = new Command("export-ollama", "导出给 Ollama（Modelfile）· export for Ollama\n  psylite model export-ollama --model runs/7b.q4_k_m.gguf --out runs/ollama && ollama create psylite -f runs/ollama/Modelfile")
        {
            model, output, system, temperature,
        };
        temperature.Validators.Add(result =>
        {
            if (result.GetValue(temperature) is not (>= 0 and <= 2))
            {
                result.AddError("--temperature 须在 0 到 2 之间 · must be between 0 and 2");
            }
        });
        command.SetAction(parsed =>
        {
            var (source, folder) = (parsed.GetRequiredValue(model), Path.GetFullPath(parsed.GetRequiredValue(output)));
            var text = Modelfile(source, parsed.GetValue(system) is { } prompt ? File.ReadAllText(prompt).Trim() : null, parsed.GetValue(temperature));
            Directory.CreateDirectory(folder);
            var copy = Path.Combine(folder, Path.GetFileName(source));
            if (Path.GetFullPath(source) != copy)
            {
                DiskSpace.Require(folder, new FileInfo(source).Length);
                File.Copy(source, copy + ".partial", overwrite: true);
                File.Move(copy + ".partial", copy, overwrite: true);
            }

            File.WriteAllText(Path.Combine(folder, "Modelfile"), text);
            Console.WriteLine($"{Path.Combine(folder, "Modelfile")}: ollama create psylite -f {Path.Combine(folder, "Modelfile")}");
            return CommandBoundary.Done;
        });
        return command;
    }

    /// <exception cref="InvalidDataException">The file is no GGUF with the pieces of the chat format, or the prompt cannot be quoted.</exception>
    internal static string Modelfile(string source, string? systemPrompt, float temperature)
    {
        using var file = GgufReader.Open(source);
        var tokens = file.Metadata.Get<string[]>("tokenizer.ggml.tokens");
        if (!tokens.Contains(ChatTemplate.StartPiece) || !tokens.Contains(ChatTemplate.EndPiece))
        {
            throw new InvalidDataException($"{source}: the vocabulary lacks {ChatTemplate.StartPiece} and {ChatTemplate.EndPiece}; only chat models of InternLM2's format can be exported.");
        }

        if (systemPrompt?.Contains("\"\"\"", StringComparison.Ordinal) == true)
        {
            throw new InvalidDataException("the system prompt holds three quotation marks in a row, which a Modelfile cannot; take them out.");
        }

        var architecture = file.Metadata.Get("general.architecture", "");
        var context = Math.Min(file.Metadata.Get($"{architecture}.context_length", 4096L), 4096L);
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""
            FROM ./{Path.GetFileName(source)}
            TEMPLATE {"\"\"\""}{Template}{"\"\"\""}
            {(systemPrompt is { Length: > 0 } ? $"SYSTEM \"\"\"{systemPrompt}\"\"\"\n" : "")}PARAMETER stop "{ChatTemplate.EndPiece}"
            PARAMETER stop "{ChatTemplate.StartPiece}"
            PARAMETER temperature {temperature}
            PARAMETER num_ctx {context}

            """);
    }
}
