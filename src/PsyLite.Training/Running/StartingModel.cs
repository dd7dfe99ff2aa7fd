using PsyLite.Models;
using PsyLite.Models.Gguf;
using PsyLite.Models.Safetensors;
using PsyLite.Training.Kernels;

namespace PsyLite.Training.Running;

/// <summary>The decoder that a recipe begins with: random, or weights from a file, one tensor in single precision at a time.</summary>
internal static class StartingModel
{
    /// <exception cref="InvalidDataException">The files are missing, damaged or of another shape; the message is one line.</exception>
    public static Transformer Load(RecipeOptions options, WorkerPool pool)
    {
        var model = new Transformer(options.Model, pool, options.BatchTokens, options.Tuning);
        try
        {
            LoadWeights(options, model.Parameters, pool);
            foreach (var folder in options.MergeAdapters)
            {
                AdapterFolder.Merge(folder, model.Parameters, pool);
            }

            model.Adapters?.Initialise(options.Seed);
            if (options.StartAdapter is { } adapter)
            {
                AdapterFolder.Load(adapter, model.Adapters!, options.Lora!);
            }

            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static void LoadWeights(RecipeOptions options, ParameterSet weights, WorkerPool pool)
    {
        switch (options.StartFrom)
        {
            case null:
                weights.Initialise(options.Seed);
                break;
            case var path when Directory.Exists(path) || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase):
                using (var folder = SafetensorsReader.Open(path))
                {
                    Fill(weights, folder.Sources(), path, pool);
                }

                break;
            case var path when path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase):
                using (var file = GgufReader.Open(path))
                {
                    Fill(weights, InternLm2Gguf.ReadTensors(file), path, pool);
                }

                break;
            case var path:
                Checkpoint.LoadWeights(path, weights);
                break;
        }
    }

    private static void Fill(ParameterSet weights, IReadOnlyDictionary<string, TensorSource> tensors, string path, WorkerPool pool) =>
        weights.Load([.. weights.All.Select(parameter => tensors.TryGetValue(parameter.Name, out var tensor)
            ? tensor
            : throw new InvalidDataException($"{path} has no tensor {parameter.Name}; it must be an InternLM2 model of the recipe's shape."))], pool);
}
