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
        var adapters = new List<PeftAdapter>();
        try
        {
            adapters.AddRange(options.MergeAdapters.Select(PeftAdapter.Open));
            LoadWeights(options, weights, adapters, pool);
        }
        finally
        {
            adapters.ForEach(a => a.Dispose());
        }
    }

    private static void LoadWeights(RecipeOptions options, ParameterSet weights, IReadOnlyCollection<PeftAdapter> adapters, WorkerPool pool)
    {
        switch (options.StartFrom)
        {
            case null when adapters.Count == 0:
                weights.Initialise(options.Seed);
                break;
            case null:
                using (var fresh = ParameterSet.Frozen(options.Model, Quantisation.None))
                {
                    fresh.Initialise(options.Seed);
                    Fill(weights, fresh.All.ToDictionary(p => p.Name, p => p.Source, StringComparer.Ordinal), "a fresh model", adapters, pool);
                }

                break;
            case var path when Directory.Exists(path) || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase):
                using (var folder = SafetensorsReader.Open(path))
                {
                    Fill(weights, folder.Sources(), path, adapters, pool);
                }

                break;
            case var path when path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase):
                using (var file = GgufReader.Open(path))
                {
                    Fill(weights, InternLm2Gguf.ReadTensors(file), path, adapters, pool);
                }

                break;
            case var path:
                using (var checkpoint = Checkpoint.OpenVerified(path))
                {
                    Fill(weights, Checkpoint.Weights(checkpoint, path, weights), path, adapters, pool);
                }

                break;
        }
    }

    /// <summary>Merges before anything is quantised: what is loaded is what <c>psylite model merge</c> would have written.</summary>
    private static void Fill(
        ParameterSet weights, IReadOnlyDictionary<string, TensorSource> tensors, string path, IReadOnlyCollection<PeftAdapter> adapters, WorkerPool pool)
    {
        var merged = new LoraMerge(adapters).Apply(tensors);
        var sources = weights.All.Select(parameter => merged.TryGetValue(parameter.Name, out var tensor)
            ? tensor
            : throw new InvalidDataException($"{path} has no tensor {parameter.Name}; it must be an InternLM2 model of the recipe's shape.")).ToList();
        if (adapters.Count == 0)
        {
            weights.Load(sources, pool);
            return;
        }

        // A merge holds the adapters of one tensor at a time; side by side they would be read again for every part.
        foreach (var (parameter, source) in weights.All.Zip(sources))
        {
            parameter.Load(source);
        }
    }
}
