using PsyLite.Models;
using PsyLite.Models.Safetensors;
using PsyLite.Training.Kernels;

namespace PsyLite.Training;

/// <summary>Trained adapters as a folder that PEFT, XTuner and <c>psylite model merge</c> read, and back.</summary>
public static class AdapterFolder
{
    public static void Write(string folder, ParameterSet adapters, LoraOptions lora, string? baseModel)
    {
        var modules = Names(adapters).Select(name => new LoraModule(
            name, adapters[name + TensorShape.AdapterA].Source, adapters[name + TensorShape.AdapterB].Source, (double)lora.Alpha / lora.Rank)).ToList();
        var targets = modules.Select(m => m.Module[(m.Module.LastIndexOf('.') + 1)..]).Distinct().Order(StringComparer.Ordinal).ToList();
        PeftAdapter.Write(folder, new PeftConfig(lora.Rank, lora.Alpha, lora.Dropout, targets, baseModel), modules);
    }

    /// <exception cref="InvalidDataException">It has other layers, another rank or another scale.</exception>
    public static void Load(string folder, ParameterSet adapters, LoraOptions lora)
    {
        using var file = PeftAdapter.Open(folder);
        var expected = Names(adapters).ToHashSet(StringComparer.Ordinal);
        if (!expected.SetEquals(file.Modules.Select(m => m.Module)) || file.Modules.Any(m => Math.Abs(m.Scale - lora.Scale) > 1e-6 * m.Scale))
        {
            throw new InvalidDataException($"{folder} does not fit the recipe's lora part: the same layers, rank and alpha are needed to go on with it; mergeAdapters takes any.");
        }

        foreach (var module in file.Modules)
        {
            adapters[module.Module + TensorShape.AdapterA].Load(module.A);
            adapters[module.Module + TensorShape.AdapterB].Load(module.B);
        }
    }

    /// <summary>W += scale B A for every layer of an adapter, one layer in single precision at a time.</summary>
    /// <exception cref="InvalidDataException">It changes a layer that the model does not have, or of another size.</exception>
    internal static void Merge(string folder, ParameterSet weights, WorkerPool pool)
    {
        using var file = PeftAdapter.Open(folder);
        using var gemm = new Gemm(pool, GemmEngine.Best);
        foreach (var module in file.Modules)
        {
            if (weights.All.FirstOrDefault(p => p.Name == module.WeightName) is not { } weight || module.A.Shape[1] != weight.Columns || module.B.Shape[0] != weight.Rows)
            {
                throw new InvalidDataException($"{folder}: {module.Module} does not fit the model of the recipe.");
            }

            using var buffer = new NativeBuffer(weight.Count + ((long)module.Rank * (weight.Rows + weight.Columns)));
            var merged = buffer.Matrix(weight.Rows, weight.Columns);
            var b = buffer.Matrix(weight.Rows, module.Rank, weight.Count);
            var a = buffer.Matrix(module.Rank, weight.Columns, weight.Count + ((long)weight.Rows * module.Rank));
            weight.Source.Read(0, merged.AsSpan());
            module.A.Read(0, a.AsSpan());
            module.B.Read(0, b.AsSpan());
            gemm.Multiply(Product.Plain(b, a, merged, accumulate: true, alpha: (float)module.Scale));
            weight.Load(new TensorSource([weight.Rows, weight.Columns], (start, values) => merged.AsSpan().Slice((int)start, values.Length).CopyTo(values)));
        }
    }

    private static IEnumerable<string> Names(ParameterSet adapters) =>
        adapters.All.Where(p => p.Name.EndsWith(TensorShape.AdapterA, StringComparison.Ordinal)).Select(p => p.Name[..^TensorShape.AdapterA.Length]);
}
