using System.CommandLine;
using PsyLite.ModelStore;
using PsyLite.Options;

namespace PsyLite.Commands;

/// <summary>The flags that choose the model, alike in every command that converses.</summary>
internal sealed class ModelOptions
{
    private readonly Option<string?> _model = new("--model") { Description = "GGUF 文件或已下载模型的名字，默认内置 · model file or the name of a pulled model; the built-in one by default" };
    private readonly Option<string[]> _lora = new("--lora") { Description = "LoRA 适配器 GGUF，可加倍率 FILE:0.5 · LoRA adapter (GGUF), perhaps with a scale", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> _engine = new("--engine") { Description = "llama | openai | ollama" };
    private readonly Option<string?> _endpoint = new("--endpoint") { Description = "远程引擎地址，逗号分隔；对话会发往那里 · where the engine is, separated by commas; conversations are sent there" };

    public void AddTo(Command command)
    {
        command.Options.Add(_model);
        command.Options.Add(_lora);
        command.Options.Add(_engine);
        command.Options.Add(_endpoint);
    }

    /// <summary>Environment, then flags; the name of a pulled model becomes its file.</summary>
    /// <exception cref="InvalidDataException">They do not fit together.</exception>
    public AppOptions Read(ParseResult parsed)
    {
        var options = AppOptions.FromEnvironment();
        options = (options with
        {
            Model = parsed.GetValue(_model) is { Length: > 0 } given ? given : options.Model,
            Lora = parsed.GetValue(_lora) is { Length: > 0 } adapters ? [.. adapters.Select(AppOptions.LoraOf)] : options.Lora,
            Engine = AppOptions.EngineOf(parsed.GetValue(_engine), "--engine") ?? options.Engine,
            Endpoints = AppOptions.EndpointsOf(parsed.GetValue(_endpoint), "--endpoint") ?? options.Endpoints,
        }).CheckEngine();
        if (options.Engine != EngineKind.Llama || options.Model is not { } name || File.Exists(name))
        {
            return options;
        }

        var folder = new ModelFolder(options.Models);
        return folder.Find(name) is { } pulled ? options with { Model = folder.PathOf(pulled.Model) } : options;
    }
}
