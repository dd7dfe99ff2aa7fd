using PsyLite.Models.Safetensors;

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

    private static IEnumerable<string> Names(ParameterSet adapters) =>
        adapters.All.Where(p => p.Name.EndsWith(TensorShape.AdapterA, StringComparison.Ordinal)).Select(p => p.Name[..^TensorShape.AdapterA.Length]);
}
