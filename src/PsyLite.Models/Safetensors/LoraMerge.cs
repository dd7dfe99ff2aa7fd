using System.Numerics;

namespace PsyLite.Models.Safetensors;

/// <summary>
/// Weights with LoRA adapters merged in: W + sum of scale B A, in float32, computed where and when a part of the weight is read. With
/// several adapters the later ones are added to what the earlier gave, and nothing is rounded between them.
/// </summary>
/// <remarks>Source: LoRA (arXiv 2106.09685), section 4.1.</remarks>
public sealed class LoraMerge
{
    private readonly List<PeftAdapter> _adapters;

    // Of the tensor that is being read only: a model's adapters together would take gigabytes.
    private readonly List<Loaded> _loaded = [];
    private readonly Lock _gate = new();
    private string _loadedName = "";

    /// <param name="adapters">In the order in which they were trained.</param>
    public LoraMerge(IEnumerable<PeftAdapter> adapters) => _adapters = [.. adapters];

    /// <summary>The same tensors, with those that an adapter changes merged as they are read.</summary>
    /// <param name="tensors">Weights of the base by HuggingFace name.</param>
    /// <exception cref="InvalidDataException">An adapter changes a weight that the base does not have, or one of another shape.</exception>
    public IReadOnlyDictionary<string, TensorSource> Apply(IReadOnlyDictionary<string, TensorSource> tensors)
    {
        var merged = new Dictionary<string, TensorSource>(tensors, StringComparer.Ordinal);
        foreach (var adapter in _adapters)
        {
            foreach (var module in adapter.Modules)
            {
                Check(adapter, module.WeightName, tensors, [module.B.Shape[0], module.A.Shape[1]]);
            }

            foreach (var (name, whole) in adapter.FullWeights)
            {
                Check(adapter, name, tensors, whole.Shape);
                merged[name] = whole;
            }
        }

        foreach (var name in _adapters.SelectMany(a => a.Modules).Select(m => m.WeightName).Distinct(StringComparer.Ordinal))
        {
            var weight = merged[name];
            merged[name] = weight with { Read = (start, destination) => Read(name, weight, start, destination) };
        }

        return merged;
    }

    private static void Check(PeftAdapter adapter, string name, IReadOnlyDictionary<string, TensorSource> tensors, IReadOnlyList<long> shape)
    {
        if (!tensors.TryGetValue(name, out var weight))
        {
            throw new InvalidDataException($"{adapter.Folder}: the adapter changes {ErrorText.Quote(name)}, which the base model does not have; merge it into the model it was trained on.");
        }

        if (!weight.Shape.SequenceEqual(shape))
        {
            throw new InvalidDataException($"{adapter.Folder}: the adapter's {ErrorText.Quote(name)} is [{string.Join(", ", shape)}], the base model's [{string.Join(", ", weight.Shape)}]; merge it into the model it was trained on.");
        }
    }

    private void Read(string name, TensorSource weight, long start, Span<float> destination)
    {
        lock (_gate)
        {
            if (_loadedName != name)
            {
                _loaded.Clear();
                _loaded.AddRange(_adapters.SelectMany(a => a.Modules).Where(m => m.WeightName == name).Select(m => new Loaded(m)));
                _loadedName = name;
            }

            weight.Read(start, destination);
            var columns = weight.Shape[^1];
            while (!destination.IsEmpty)
            {
                var (row, column) = Math.DivRem(start, columns);
                var part = destination[..(int)Math.Min(columns - column, destination.Length)];
                foreach (var adapter in _loaded)
                {
                    adapter.AddTo(part, (int)row, (int)column);
                }

                start += part.Length;
                destination = destination[part.Length..];
            }
        }
    }

    private sealed class Loaded
    {
        private readonly int _rank;
        private readonly int _columns;

        /// <summary>[r, columns].</summary>
        private readonly float[] _a;

        /// <summary>[rows, r], times the scale.</summary>
        private readonly float[] _b;

        public Loaded(LoraModule module)
        {
            (_rank, _columns) = (module.Rank, (int)module.A.Shape[1]);
            (_a, _b) = (All(module.A), All(module.B));
            for (var i = 0; i < _b.Length; i++)
            {
                _b[i] = (float)(_b[i] * module.Scale);
            }
        }

        /// <summary>Adds columns [column, column + part.Length) of a row of B A.</summary>
        public void AddTo(Span<float> part, int row, int column)
        {
            for (var k = 0; k < _rank; k++)
            {
                var factor = _b[(row * _rank) + k];
                if (factor != 0)
                {
                    AddScaled(part, _a.AsSpan((k * _columns) + column, part.Length), factor);
                }
            }
        }

        private static void AddScaled(Span<float> sum, ReadOnlySpan<float> values, float factor)
        {
            var (width, by) = (Vector<float>.Count, new Vector<float>(factor));
            var i = 0;
            for (; i <= sum.Length - width; i += width)
            {
                var part = sum.Slice(i, width);
                Vector.FusedMultiplyAdd(new Vector<float>(values.Slice(i, width)), by, new Vector<float>(part)).CopyTo(part);
            }

            for (; i < sum.Length; i++)
            {
                sum[i] = MathF.FusedMultiplyAdd(values[i], factor, sum[i]);
            }
        }

        private static float[] All(TensorSource source)
        {
            var values = new float[checked((int)source.Count)];
            source.Read(0, values);
            return values;
        }
    }
}
