using PsyLite.Models;
using PsyLite.Training.Kernels;

namespace PsyLite.Training;

/// <summary>
/// The weights of a decoder, or the adapters on them. Those that train lie in one arena and their gradients in another, so that the
/// optimiser is one pass: matrices first, vectors (norms, which take no weight decay) last, each tensor on a cache line.
/// </summary>
public sealed class ParameterSet : IDisposable
{
    private const int Alignment = 16;
    private const double InitialDeviation = 0.02;
    private readonly Dictionary<string, Parameter> _byName = [];
    private readonly List<CompactMatrix> _compact = [];
    private readonly NativeBuffer _values;
    private readonly NativeBuffer _gradients;

    /// <summary>All weights of a decoder, all of them trainable.</summary>
    public ParameterSet(ModelConfig config)
        : this(config, TensorShape.Decoder(config.Validated()), trainable: true, _ => null)
    {
    }

    private ParameterSet(ModelConfig config, IReadOnlyList<TensorShape> shapes, bool trainable, Func<TensorShape, CompactMatrix?> compact)
    {
        Config = config;
        var placed = new List<(TensorShape Shape, long Offset)>();
        long offset = 0;
        foreach (var shape in shapes.Where(s => !s.IsVector).Concat(shapes.Where(s => s.IsVector)))
        {
            if (compact(shape) is { } matrix)
            {
                _compact.Add(matrix);
                _byName.Add(shape.Name, new Parameter(shape.Name, matrix));
                continue;
            }

            placed.Add((shape, offset));
            offset += (shape.Count + Alignment - 1) / Alignment * Alignment;
            MatrixLength = shape.IsVector ? MatrixLength : offset;
        }

        ArenaLength = offset;
        _values = new NativeBuffer(offset);
        _gradients = new NativeBuffer(trainable ? offset : 0);
        foreach (var (shape, start) in placed)
        {
            var gradient = trainable ? _gradients.Matrix(shape.Rows, shape.Columns, start) : default;
            _byName.Add(shape.Name, new Parameter(shape.Name, _values.Matrix(shape.Rows, shape.Columns, start), gradient, start, shape.IsVector));
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

    /// <summary>The weights of a decoder without gradients, under adapters.</summary>
    public static ParameterSet Frozen(ModelConfig config, Quantisation quantisation) => new(config, TensorShape.Decoder(config.Validated()), trainable: false, shape => quantisation switch
    {
        Quantisation.None => null,
        _ when shape.IsVector => null,
        Quantisation.Nf4 when shape.IsBlockLinear => new Nf4Matrix(shape.Rows, shape.Columns),
        _ => new Bf16Matrix(shape.Rows, shape.Columns),
    });

    /// <summary>A and B of every adapted layer, named as PEFT names them (without its prefix).</summary>
    public static ParameterSet Adapters(ModelConfig config, LoraOptions lora) => new(config, TensorShape.Adapters(config, lora.Validated()), trainable: true, _ => null);

    /// <summary>
    /// Fresh values. Norms 1; matrices normal(0, 0.02), the two that write into the residual stream scaled by 1 / sqrt(2 layers) (GPT-2);
    /// of adapters B 0 and A uniform within 1 / sqrt(inputs), which is Kaiming's with a = sqrt(5), as PEFT begins.
    /// </summary>
    public void Initialise(int seed)
    {
        var random = new Random(seed);
        foreach (var parameter in All)
        {
            parameter.Load(parameter.Source with { Read = (_, values) => Fill(parameter, values, random) });
        }
    }

    /// <summary>
    /// Takes the values of one source for each of <see cref="All"/>. Every worker loads whole tensors, so the result does not depend on
    /// their number; sources are read side by side.
    /// </summary>
    /// <exception cref="InvalidDataException">A source has another shape.</exception>
    internal void Load(IReadOnlyList<TensorSource> sources, WorkerPool pool) => pool.Tasks(All.Count, (_, i) => All[i].Load(sources[i]));

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
        foreach (var matrix in _compact)
        {
            matrix.Dispose();
        }
    }

    private void Fill(Parameter parameter, Span<float> values, Random random)
    {
        bool Is(string end) => parameter.Name.EndsWith(end, StringComparison.Ordinal);
        if (parameter.IsVector)
        {
            values.Fill(1f);
        }
        else if (Is(TensorShape.AdapterB))
        {
            values.Clear();
        }
        else if (Is(TensorShape.AdapterA))
        {
            var bound = 1f / MathF.Sqrt(parameter.Columns);
            foreach (ref var value in values)
            {
                value = ((2f * random.NextSingle()) - 1f) * bound;
            }
        }
        else
        {
            FillNormal(values, random, InitialDeviation * (Is(".wo.weight") || Is(".w2.weight") ? 1.0 / Math.Sqrt(2.0 * Config.Layers) : 1.0));
        }
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
