using System.CommandLine;
using PsyLite.Training;
using PsyLite.Training.Export;

namespace PsyLite.Commands;

/// <summary>The options <c>--engine --emit</c> of a training stage: hand the recipe to a trainer for GPUs instead of running it.</summary>
internal sealed class EngineExport
{
    private readonly Option<TrainingEngine> _engine = new("--engine") { Description = "交给其他训练引擎：xtuner 或 llamafactory · hand over to another trainer" };
    private readonly Option<string?> _emit = new("--emit") { Description = "写出数据、配置与启动命令的目录 · folder for its data, configuration and launch command" };
    private readonly Option<int> _gpus = new("--gpus") { Description = "每台机器的 GPU 数 · GPUs of each machine", DefaultValueFactory = _ => 1 };
    private readonly Option<int> _nodes = new("--nodes") { Description = "机器数 · machines", DefaultValueFactory = _ => 1 };

    public EngineExport(Command command)
    {
        command.Options.Add(_engine);
        command.Options.Add(_emit);
        command.Options.Add(_gpus);
        command.Options.Add(_nodes);
    }

    /// <exception cref="InvalidDataException">One of the two options is missing.</exception>
    public bool Wanted(ParseResult parsed)
    {
        var (engine, emit) = (parsed.GetResult(_engine) is { Implicit: false }, parsed.GetValue(_emit) is not null);
        return engine == emit ? emit : throw new InvalidDataException("--engine xtuner|llamafactory and --emit DIR belong together; without them this program trains by itself.");
    }

    public void Write(ParseResult parsed, RecipeOptions options, bool preferences)
    {
        var cluster = new EngineCluster(parsed.GetValue(_gpus), parsed.GetValue(_nodes));
        foreach (var path in EngineFolder.Write(parsed.GetValue(_emit)!, parsed.GetValue(_engine), options, preferences, cluster))
        {
            Console.WriteLine(path);
        }
    }
}
