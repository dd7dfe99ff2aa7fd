namespace PsyLite.Models.Safetensors;

/// <summary>What an adapter adds to one linear layer: W + scale B A.</summary>
/// <param name="Module">Name of the layer without ".weight", such as <c>model.layers.0.attention.wqkv</c>.</param>
/// <param name="A">[r, inputs].</param>
/// <param name="B">[outputs, r].</param>
/// <param name="Scale">alpha / r, or as the configuration says.</param>
public sealed record LoraModule(string Module, TensorSource A, TensorSource B, double Scale)
{
    /// <summary>r of this layer.</summary>
    public int Rank => (int)A.Shape[0];

    /// <summary>Name of the weight that it changes.</summary>
    public string WeightName => Module + ".weight";
}

/// <summary>
/// A LoRA adapter as a folder of PEFT: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>, as PEFT, XTuner and LLaMA-Factory
/// write them.
/// </summary>
/// <remarks>Source: LoRA (arXiv 2106.09685) section 4.1; names as in save_pretrained of PEFT.</remarks>
public sealed class PeftAdapter : IDisposable
{
    /// <summary>File with the settings.</summary>
    public const string ConfigFile = "adapter_config.json";

    /// <summary>File with the matrices.</summary>
    public const string WeightsFile = "adapter_model.safetensors";

    private const string Prefix = "base_model.model.";
    private const string SuffixA = ".lora_A";
    private const string SuffixB = ".lora_B";

    private readonly SafetensorsReader _weights;

    private PeftAdapter(string folder, PeftConfig config, SafetensorsReader weights)
    {
        (Folder, Config, _weights) = (folder, config, weights);
        (Modules, FullWeights) = Collect();
    }

    /// <summary>The folder as it was given to <see cref="Open"/>.</summary>
    public string Folder { get; }

    /// <summary>The settings.</summary>
    public PeftConfig Config { get; }

    /// <summary>The changed layers, in the order of the file.</summary>
    public IReadOnlyList<LoraModule> Modules { get; }

    /// <summary>Weights that were trained whole (modules_to_save), by name: they replace those of the base.</summary>
    public IReadOnlyDictionary<string, TensorSource> FullWeights { get; }

    /// <summary>Whether a folder looks like an adapter.</summary>
    public static bool IsAdapter(string folder) => File.Exists(Path.Combine(folder, ConfigFile));

    /// <summary>Opens an adapter; its matrices are read when asked for.</summary>
    /// <exception cref="FileNotFoundException">One of the two files is not there.</exception>
    /// <exception cref="InvalidDataException">They are damaged, do not fit together, or are of a kind other than LoRA.</exception>
    public static PeftAdapter Open(string folder)
    {
        var config = PeftConfig.Read(Path.Combine(folder, ConfigFile));
        var path = Path.Combine(folder, WeightsFile);
        if (!File.Exists(path) && File.Exists(Path.Combine(folder, "adapter_model.bin")))
        {
            throw new InvalidDataException($"{folder}: the adapter is a Python pickle (adapter_model.bin), which may run code and is not read; save it again with safe_serialization=True.");
        }

        SafetensorsReader? weights = SafetensorsReader.Open(path);
        try
        {
            var adapter = new PeftAdapter(folder, config, weights);
            weights = null;
            return adapter;
        }
        finally
        {
            weights?.Dispose();
        }
    }

    /// <summary>Writes an adapter's folder under the names that PEFT reads.</summary>
    /// <param name="folder">Made if it is not there.</param>
    /// <param name="config">Settings; its rank and alpha must give every module's scale.</param>
    /// <param name="modules">The changed layers.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <exception cref="ArgumentException">A module's matrices or scale do not fit the settings.</exception>
    /// <exception cref="InvalidDataException">A matrix holds a number that cannot be stored.</exception>
    public static void Write(string folder, PeftConfig config, IEnumerable<LoraModule> modules, SafetensorsType type = SafetensorsType.F32)
    {
        var writer = new SafetensorsWriter();
        foreach (var module in modules)
        {
            if (module.A.Shape.Count != 2 || module.B.Shape.Count != 2 || module.A.Shape[0] != config.Rank || module.B.Shape[1] != config.Rank
                || Math.Abs(module.Scale - config.ScaleOf(module.Module, config.Rank)) > 1e-6 * Math.Abs(module.Scale))
            {
                throw new ArgumentException($"The matrices or the scale of {ErrorText.Quote(module.Module)} do not fit r {config.Rank} and alpha {config.Alpha}.", nameof(modules));
            }

            writer.Add($"{Prefix}{module.Module}{SuffixA}.weight", type, module.A);
            writer.Add($"{Prefix}{module.Module}{SuffixB}.weight", type, module.B);
        }

        Directory.CreateDirectory(folder);
        writer.WriteFile(Path.Combine(folder, WeightsFile));
        CompleteFile.Write(Path.Combine(folder, ConfigFile), config.Write, path => PeftConfig.Read(path));
    }

    /// <inheritdoc/>
    public void Dispose() => _weights.Dispose();

    private (List<LoraModule> Modules, Dictionary<string, TensorSource> Full) Collect()
    {
        var (a, b) = (new OrderedDictionary<string, TensorSource>(StringComparer.Ordinal), new Dictionary<string, TensorSource>(StringComparer.Ordinal));
        var full = new Dictionary<string, TensorSource>(StringComparer.Ordinal);
        foreach (var tensor in _weights.Tensors)
        {
            var (module, part) = Split(tensor.Name);
            var known = part switch
            {
                SuffixA => a.TryAdd(module, _weights.Source(tensor.Name)),
                SuffixB => b.TryAdd(module, _weights.Source(tensor.Name)),
                "" => full.TryAdd(module + ".weight", _weights.Source(tensor.Name)),
                _ => false,
            };
            if (!known)
            {
                throw new InvalidDataException($"{_weights.FilePath}: the tensor {ErrorText.Quote(tensor.Name)} is none of a LoRA adapter, or stands there twice.");
            }
        }

        var modules = new List<LoraModule>();
        foreach (var (module, down) in a)
        {
            if (!b.TryGetValue(module, out var up) || down.Shape.Count != 2 || up.Shape.Count != 2 || down.Shape[0] != up.Shape[1] || down.Count == 0 || up.Count == 0 || down.Shape[0] > int.MaxValue)
            {
                throw new InvalidDataException($"{_weights.FilePath}: the matrices lora_A and lora_B of {ErrorText.Quote(module)} do not fit together.");
            }

            modules.Add(new LoraModule(module, down, up, Config.ScaleOf(module, (int)down.Shape[0])));
        }

        if (modules.Count != b.Count || modules.Count + full.Count == 0)
        {
            throw new InvalidDataException($"{_weights.FilePath}: a layer lacks its lora_A, or there is no layer at all.");
        }

        return (modules, full);
    }

    /// <summary>
    /// <c>base_model.model.X.lora_A.weight</c> to (X, ".lora_A"); a raw state dictionary of PEFT has the adapter's name before
    /// <c>.weight</c>. A weight trained whole gives (X, "").
    /// </summary>
    private static (string Module, string Part) Split(string name)
    {
        var rest = name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
        foreach (var part in new[] { SuffixA, SuffixB })
        {
            var at = rest.LastIndexOf(part + ".", StringComparison.Ordinal);
            if (at > 0 && rest.EndsWith("weight", StringComparison.Ordinal))
            {
                return (rest[..at], part);
            }
        }

        rest = rest.Replace(".modules_to_save.default", "", StringComparison.Ordinal).Replace(".modules_to_save", "", StringComparison.Ordinal);
        return rest.EndsWith(".weight", StringComparison.Ordinal) && !rest.Contains(".lora_", StringComparison.Ordinal) ? (rest[..^".weight".Length], "") : (rest, "unknown");
    }
}
