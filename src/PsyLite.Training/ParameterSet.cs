using PsyLite.Models;
using PsyLite.Training.Kernels;

namespace PsyLite.Training;

/// <summary>One named weight and its gradient, windows into the arenas of its <see cref="ParameterSet"/>.</summary>
public sealed class Parameter
{
    internal Parameter(string name, int rows, int columns, long offset)
    {
        (Name, Rows, Columns, Offset) = (name, rows, columns, offset);
    }

    /// <summary>HuggingFace name of the tensor.</summary>
    public string Name { get; }

    /// <summary>Rows of a matrix (outputs of a linear layer), 1 for a vector.</summary>
    public int Rows { get; }

    public int Columns { get; }

    public bool IsVector => Rows == 1;

    public int Count => Rows * Columns;

    /// <summary>Row-major values.</summary>
    public Span<float> Values => Value.AsSpan();

    /// <summary>Row-major gradient; zero until a backward pass has added to it.</summary>
    public Span<float> Gradient
    {
        get
        {
            MaterialiseGradient();
            return GradientMatrix.AsSpan();
        }
    }

    internal long Offset { get; }

    internal Matrix Value { get; set; }

    internal Matrix GradientMatrix { get; set; }

    /// <summary>False after clearing: the next backward pass then overwrites instead of adding, which saves writing zeros first.</summary>
    internal bool HasGradient { get; set; }

    internal void MaterialiseGradient()
    {
        if (!HasGradient)
        {
            GradientMatrix.AsSpan().Clear();
            HasGradient = true;
        }
    }
}

/// <summary>
/// All weights of a decoder in one arena and their gradients in another, so that the optimiser is one pass.
/// Matrices come first, vectors (norms, which take no weight decay) last; each tensor starts on a cache line.
/// </summary>
public sealed class ParameterSet : IDisposable
{
    private const int Alignment = 16;
    private const double InitialDeviation = 0.02;
    private readonly Dictionary<string, Parameter> _byName = [];
    private readonly NativeBuffer _values;
    private readonly NativeBuffer _gradients;

    public ParameterSet(ModelConfig config)
    {
        Config = config.Validated();
        var shapes = Shapes(config);
        var all = new List<Parameter>();
        long offset = 0;
        foreach (var (name, rows, columns) in shapes.Where(s => s.Rows > 1).Concat(shapes.Where(s => s.Rows == 1)))
        {
            if (rows == 1 && MatrixLength == 0)
            {
                MatrixLength = offset;
            }

            all.Add(new Parameter(name, rows, columns, offset));
            offset += ((long)rows * columns + Alignment - 1) / Alignment * Alignment;
        }

        ArenaLength = offset;
        _values = new NativeBuffer(offset);
        _gradients = new NativeBuffer(offset);
        foreach (var parameter in all)
        {
            parameter.Value = _values.Matrix(parameter.Rows, parameter.Columns, parameter.Offset);
            parameter.GradientMatrix = _gradients.Matrix(parameter.Rows, parameter.Columns, parameter.Offset);
            parameter.HasGradient = true;
            _byName.Add(parameter.Name, parameter);
        }

        All = [.. shapes.Select(s => _byName[s.Name])];
    }

    public ModelConfig Config { get; }

    /// <summary>Every tensor, in the order of the HuggingFace state dictionary.</summary>
    public IReadOnlyList<Parameter> All { get; }

    /// <summary>Number of weights.</summary>
    public long Count => All.Sum(p => (long)p.Count);

    internal long ArenaLength { get; }

    /// <summary>Arena floats that hold matrices; the rest are vectors.</summary>
    internal long MatrixLength { get; }

    internal NativeBuffer ValueArena => _values;

    internal NativeBuffer GradientArena => _gradients;

    public Parameter this[string name] => _byName.TryGetValue(name, out var parameter)
        ? parameter
        : throw new KeyNotFoundException($"The model has no tensor '{name}'.");

    /// <summary>Norms 1; matrices normal(0, 0.02), the two that write into the residual stream scaled by 1 / sqrt(2 layers) (GPT-2).</summary>
    public void Initialise(int seed)
    {
        var random = new Random(seed);
        foreach (var parameter in All)
        {
            if (parameter.IsVector)
            {
                parameter.Values.Fill(1f);
                continue;
            }

            var intoResidual = parameter.Name.EndsWith(".wo.weight", StringComparison.Ordinal) || parameter.Name.EndsWith(".w2.weight", StringComparison.Ordinal);
            FillNormal(parameter.Values, random, InitialDeviation * (intoResidual ? 1.0 / Math.Sqrt(2.0 * Config.Layers) : 1.0));
        }
    }

    /// <summary>Forgets all gradients.</summary>
    public void ClearGradients()
    {
        foreach (var parameter in All)
        {
            parameter.HasGradient = false;
        }
    }

    internal void MaterialiseGradients()
    {
        foreach (var parameter in All)
        {
            parameter.MaterialiseGradient();
        }
    }

    public void Dispose()
    {
        _values.Dispose();
        _gradients.Dispose();
    }

    private static List<(string Name, int Rows, int Columns)> Shapes(ModelConfig c)
    {
        var shapes = new List<(string Name, int Rows, int Columns)> { ("model.tok_embeddings.weight", c.VocabSize, c.HiddenSize) };
        for (var layer = 0; layer < c.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            shapes.Add((prefix + "attention.wqkv.weight", c.QkvSize, c.HiddenSize));
            shapes.Add((prefix + "attention.wo.weight", c.HiddenSize, c.HiddenSize));
            shapes.Add((prefix + "feed_forward.w1.weight", c.IntermediateSize, c.HiddenSize));
            shapes.Add((prefix + "feed_forward.w3.weight", c.IntermediateSize, c.HiddenSize));
            shapes.Add((prefix + "feed_forward.w2.weight", c.HiddenSize, c.IntermediateSize));
            shapes.Add((prefix + "attention_norm.weight", 1, c.HiddenSize));
            shapes.Add((prefix + "ffn_norm.weight", 1, c.HiddenSize));
        }

        shapes.Add(("model.norm.weight", 1, c.HiddenSize));
        shapes.Add(("output.weight", c.VocabSize, c.HiddenSize));
        return shapes;
    }

    private static void FillNormal(Span<float> values, Random random, double deviation)
    {
        // Box-Muller; 1 - u keeps the logarithm finite.
        for (var i = 0; i < values.Length; i += 2)
        {
            var radius = deviation * Math.Sqrt(-2.0 * Math.Log(1.0 - random.NextDouble()));
            var angle = 2.0 * Math.PI * random.NextDouble();
            values[i] = (float)(radius * Math.Cos(angle));
            if (i + 1 < values.Length)
            {
                values[i + 1] = (float)(radius * Math.Sin(angle));
            }
        }
    }
}
