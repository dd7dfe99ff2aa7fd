using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PsyLite.Training.Data;

namespace PsyLite.Training.Export;

/// <summary>A trainer for several GPUs or machines that a recipe can be handed to.</summary>
public enum TrainingEngine
{
    Xtuner,
    LlamaFactory,
}

/// <summary>Where the other trainer runs.</summary>
/// <param name="Gpus">GPUs of each machine.</param>
public sealed record EngineCluster(int Gpus = 1, int Nodes = 1)
{
    /// <summary>Batches that each GPU adds up, so that an update has as many rows as the recipe says.</summary>
    /// <exception cref="InvalidDataException">The rows of an update cannot be shared out evenly.</exception>
    internal int Accumulation(RecipeOptions options) => Gpus > 0 && Nodes > 0 && options.RowsPerStep % (Gpus * Nodes * options.Batch) == 0
        ? options.RowsPerStep / (Gpus * Nodes * options.Batch)
        : throw new InvalidDataException($"batch x accumulation {options.RowsPerStep} cannot be shared out to {Gpus} x {Nodes} GPUs; give --gpus and --nodes that divide it, or --set accumulation.");
}

/// <summary>
/// Writes a recipe as a folder for another trainer: its data in that trainer's format, its configuration with the same hyper-parameters, and
/// the command that starts it. <c>psylite model merge</c> takes back the adapter it makes.
/// </summary>
public static class EngineFolder
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>The files written.</returns>
    /// <exception cref="InvalidDataException">The recipe cannot be expressed for that trainer; the message says why.</exception>
    public static IReadOnlyList<string> Write(string folder, TrainingEngine engine, RecipeOptions options, bool preferences, EngineCluster cluster)
    {
        var baseModel = Check(options);
        var accumulation = cluster.Accumulation(options);
        var files = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["train.jsonl"] = preferences ? Pairs(options, engine) : Conversations(options),
        };
        if (engine == TrainingEngine.Xtuner)
        {
            files["config.py"] = XtunerConfig.Render(options, baseModel, preferences, accumulation);
            files["launch.sh"] = XtunerConfig.Launch(cluster);
        }
        else
        {
            files["dataset_info.json"] = LlamaFactoryConfig.DatasetInfo(preferences);
            files["config.yaml"] = LlamaFactoryConfig.Render(options, baseModel, preferences, accumulation);
            files["launch.sh"] = LlamaFactoryConfig.Launch(cluster);
        }

        Directory.CreateDirectory(folder);
        foreach (var (name, text) in files)
        {
            var path = Path.Combine(folder, name);
            File.WriteAllText(path + ".part", text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            File.Move(path + ".part", path, overwrite: true);
        }

        return [.. files.Keys.Select(name => Path.Combine(folder, name))];
    }

    /// <summary>The start command as both trainers take it: the address and rank of the machine come from the environment.</summary>
    internal static string Script(string command, EngineCluster cluster) => $"""
        #!/usr/bin/env bash
        # {cluster.Nodes} machine(s) of {cluster.Gpus} GPU(s). Run it on every machine, with NODE_RANK 0, 1, … and MASTER_ADDR the address of the first.
        set -euo pipefail
        cd "$(dirname "$0")"
        export NPROC_PER_NODE={cluster.Gpus} NNODES={cluster.Nodes} NODE_RANK="$(printenv NODE_RANK || echo 0)"
        export MASTER_ADDR="$(printenv MASTER_ADDR || echo 127.0.0.1)" MASTER_PORT="$(printenv MASTER_PORT || echo 29500)"
        {command}

        """;

    private static string Check(RecipeOptions options)
    {
        if (options.Data.Count == 0)
        {
            throw new InvalidDataException("another trainer needs data files; the recipe composes its text as it runs. Write it out with `psylite data compose` and give --set 'data=[\"samples.jsonl\"]'.");
        }

        if (options.MergeAdapters.Count > 0 || options.StartAdapter is not null)
        {
            throw new InvalidDataException("another trainer starts from whole weights: merge the adapters first (`psylite model merge`), then give --set startFrom=FOLDER --set 'mergeAdapters=[]' --set startAdapter=null.");
        }

        return options.StartFrom ?? throw new InvalidDataException("another trainer needs a HuggingFace folder to start from: give --set startFrom=FOLDER.");
    }

    /// <summary>One conversation a line; earlier replies are marked as not to be learned when the recipe learns the last alone.</summary>
    private static string Conversations(RecipeOptions options)
    {
        var lines = new StringBuilder();
        foreach (var sample in JsonLines.Samples(options.Data))
        {
            var messages = sample.Messages.Select((m, i) => new Dictionary<string, object>
            {
                ["role"] = m.Role,
                ["content"] = m.Reasoning is { } reasoning ? $"<think>\n{reasoning}\n</think>\n\n{m.Content}" : m.Content,
                ["loss"] = m.Role == "assistant" && (i == sample.Messages.Count - 1 || options.Loss != LossScope.LastReply),
            });
            lines.AppendLine(JsonSerializer.Serialize(new { messages }, Json));
        }

        return lines.ToString();
    }

    private static string Pairs(RecipeOptions options, TrainingEngine engine)
    {
        static object Message(SampleMessage m) => new { role = m.Role, content = m.Content };
        var lines = new StringBuilder();
        foreach (var pair in JsonLines.Pairs(options.Data))
        {
            var prompt = pair.Prompt.Select(Message).ToList();
            object line = engine == TrainingEngine.Xtuner
                ? new { chosen = prompt.Append(Message(pair.Chosen)), rejected = prompt.Append(Message(pair.Rejected)) }
                : new { conversations = prompt, chosen = Message(pair.Chosen), rejected = Message(pair.Rejected) };
            lines.AppendLine(JsonSerializer.Serialize(line, Json));
        }

        return lines.ToString();
    }
}
