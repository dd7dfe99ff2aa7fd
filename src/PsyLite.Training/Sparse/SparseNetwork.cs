namespace PsyLite.Training.Sparse;

/// <summary>How <see cref="SparseNetwork"/> is trained.</summary>
public sealed record SparseNetworkOptions
{
    public int Epochs { get; init; } = 3;

    /// <summary>Step of Adam in the first epoch; falls in a line towards a twentieth of it.</summary>
    public float LearningRate { get; init; } = 2e-3f;

    /// <summary>Share of an instance's features left out at each step; half of them, since rare features are soon known by heart.</summary>
    public float Dropout { get; init; } = 0.5f;

    /// <summary>Share of the hidden units left out at each step.</summary>
    public float HiddenDropout { get; init; } = 0.2f;

    public int BatchSize { get; init; } = 64;
}

/// <summary>
/// A small network on sparse features: h₁ = tanh(2 · Σ rows / √max(fewest, n)), h₂ = max(0, W₁h₁ + b₁), logits = W₂h₂ + b₂, with n the number
/// of the instance's features. Sees what features mean together, which a sum of weights cannot. Trained by mini-batches with Adam (Kingma and
/// Ba, 2015); the rows' moments move only when a row is in use. Bags, labels and windows as for <see cref="SparseLogistic"/>.
/// </summary>
public sealed class SparseNetwork
{
    /// <summary>Slope of tanh at nought: sums are small at first.</summary>
    public const float Gain = 2;
    private const float FirstBias = -1;
    private readonly int _outputs;
    private readonly int _fewest;
    private readonly bool[] _whole;
    private readonly AdamMatrix _rows;
    private readonly AdamMatrix _hidden;
    private readonly AdamMatrix _hiddenBias;
    private readonly AdamMatrix _top;
    private readonly AdamMatrix _topBias;
    private readonly Random _random;

    /// <param name="ofWhole">Which outputs read the whole instead of the most telling window.</param>
    /// <param name="fewest">Instances with fewer features are scaled as if they had this many.</param>
    /// <param name="seed">Decides the first weights, the order of the bags and what dropout leaves out.</param>
    public SparseNetwork(int features, int width, bool[] ofWhole, int fewest, int seed)
    {
        (Width, _outputs, _whole, _fewest, _random) = (width, ofWhole.Length, ofWhole, fewest, new Random(seed));
        _rows = new AdamMatrix(features, width);
        (_hidden, _hiddenBias) = (new AdamMatrix(width, width), new AdamMatrix(1, width));
        (_top, _topBias) = (new AdamMatrix(_outputs, width), new AdamMatrix(1, _outputs));
        var bound = 1 / Math.Sqrt(width);
        _hidden.Fill(() => (float)(((2 * _random.NextDouble()) - 1) * bound));
        _hiddenBias.Fill(() => (float)(((2 * _random.NextDouble()) - 1) * bound));
        _top.Fill(() => (float)(((2 * _random.NextDouble()) - 1) * bound));
        _topBias.Fill(() => FirstBias);
    }

    public int Width { get; }

    /// <summary>[feature][width], row after row.</summary>
    public ReadOnlySpan<float> Rows => _rows.Values;

    /// <summary>W₁ [width][width], b₁ [width], W₂ [output][width], b₂ [output].</summary>
    public (float[] Hidden, float[] HiddenBias, float[] Top, float[] TopBias) Layers => (_hidden.Values, _hiddenBias.Values, _top.Values, _topBias.Values);

    internal IEnumerable<AdamMatrix> Parameters => [_rows, _hidden, _hiddenBias, _top, _topBias];

    /// <summary>Trains on <paramref name="bags"/>; reports the mean loss of each epoch.</summary>
    public void Train(IReadOnlyList<SparseBag> bags, SparseNetworkOptions options, Action<int, double>? onEpoch = null, CancellationToken cancellationToken = default)
    {
        int[] order = [.. Enumerable.Range(0, bags.Count)];
        var step = 0;
        for (var epoch = 0; epoch < options.Epochs; epoch++)
        {
            _random.Shuffle(order);
            var rate = options.LearningRate * (1 - (epoch / (float)options.Epochs) + 0.05f);
            var loss = 0.0;
            foreach (var batch in order.Chunk(options.BatchSize))
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var number in batch)
                {
                    loss += Add(bags[number], options, 1f / batch.Length);
                }

                step++;
                foreach (var parameter in Parameters)
                {
                    parameter.Step(rate, step);
                }
            }

            onEpoch?.Invoke(epoch + 1, loss / bags.Count);
        }
    }

    /// <summary>The logits of a bag, one for each output.</summary>
    public float[] Logits(SparseBag bag) => BagLoss.Decide(bag.Windows.Select(w => Forward(w, null).Logits), Forward(bag.Whole, null).Logits, _whole);

    /// <summary>Sets the rows of all features but <paramref name="kept"/> to zero.</summary>
    public void KeepOnly(IReadOnlyList<int> kept)
    {
        var keep = kept.ToHashSet();
        for (var feature = 0; feature < _rows.Count; feature++)
        {
            if (!keep.Contains(feature))
            {
                _rows.Row(feature).Clear();
            }
        }
    }

    /// <summary>Loss of a bag; adds its gradient, times <paramref name="share"/>, to the parameters' own. No dropout without options.</summary>
    internal double Add(SparseBag bag, SparseNetworkOptions? options, float share)
    {
        var windows = bag.Windows.Select(w => Forward(w, options)).ToList();
        var whole = Forward(bag.Whole, options);
        var slopes = new Dictionary<int, float[]>();
        var loss = 0.0;
        foreach (var (window, output, slope, part) in BagLoss.Terms(bag, windows.ConvertAll(w => w.Logits), whole.Logits, _whole))
        {
            loss += part;
            if (!slopes.TryGetValue(window, out var ofLogits))
            {
                slopes.Add(window, ofLogits = new float[_outputs]);
            }

            ofLogits[output] = slope * share;
        }

        foreach (var (window, ofLogits) in slopes)
        {
            Backward(window < 0 ? whole : windows[window], ofLogits);
        }

        return loss;
    }

    /// <summary>One instance on its way through the network; what dropout left out is zero in the kept lists and masks.</summary>
    private sealed record Pass(List<int> Features, float Scale, float[] First, float[] FirstMask, float[] Second, float[] SecondMask, float[] Logits);

    private Pass Forward(int[] instance, SparseNetworkOptions? options)
    {
        var dropout = options?.Dropout ?? 0;
        var features = new List<int>(instance.Length);
        foreach (var feature in instance)
        {
            if (feature >= 0 && (dropout == 0 || _random.NextSingle() >= dropout))
            {
                features.Add(feature);
            }
        }

        var scale = Gain / (MathF.Sqrt(Math.Max(_fewest, instance.Length)) * (1 - dropout));
        var first = new float[Width];
        foreach (var feature in features)
        {
            var row = _rows.Row(feature);
            for (var i = 0; i < row.Length; i++)
            {
                first[i] += row[i];
            }
        }

        var (firstMask, secondMask) = (Mask(options), Mask(options));
        for (var i = 0; i < Width; i++)
        {
            first[i] = MathF.Tanh(scale * first[i]);
        }

        var second = new float[Width];
        for (var i = 0; i < Width; i++)
        {
            second[i] = Math.Max(0, Dot(_hidden.Row(i), first, firstMask) + _hiddenBias.Values[i]);
        }

        var logits = new float[_outputs];
        for (var output = 0; output < _outputs; output++)
        {
            logits[output] = Dot(_top.Row(output), second, secondMask) + _topBias.Values[output];
        }

        return new Pass(features, scale, first, firstMask, second, secondMask, logits);
    }

    private void Backward(Pass pass, float[] ofLogits)
    {
        var ofSecond = new float[Width];
        for (var output = 0; output < _outputs; output++)
        {
            if (ofLogits[output] == 0)
            {
                continue;
            }

            var row = _top.Row(output);
            var gradient = _top.Gradient(output);
            _topBias.Gradient(0)[output] += ofLogits[output];
            for (var i = 0; i < Width; i++)
            {
                ofSecond[i] += row[i] * ofLogits[output] * pass.SecondMask[i];
                gradient[i] += pass.Second[i] * pass.SecondMask[i] * ofLogits[output];
            }
        }

        var ofFirst = new float[Width];
        for (var i = 0; i < Width; i++)
        {
            if (pass.Second[i] <= 0 || ofSecond[i] == 0)
            {
                continue;
            }

            var row = _hidden.Row(i);
            var gradient = _hidden.Gradient(i);
            _hiddenBias.Gradient(0)[i] += ofSecond[i];
            for (var k = 0; k < Width; k++)
            {
                ofFirst[k] += row[k] * ofSecond[i] * pass.FirstMask[k];
                gradient[k] += pass.First[k] * pass.FirstMask[k] * ofSecond[i];
            }
        }

        for (var i = 0; i < Width; i++)
        {
            ofFirst[i] *= (1 - (pass.First[i] * pass.First[i])) * pass.Scale;
        }

        foreach (var feature in pass.Features)
        {
            var gradient = _rows.Gradient(feature);
            for (var i = 0; i < Width; i++)
            {
                gradient[i] += ofFirst[i];
            }
        }
    }

    /// <summary>1 / (1 - dropout) for units that stay, 0 for those left out.</summary>
    private float[] Mask(SparseNetworkOptions? options)
    {
        var mask = new float[Width];
        var dropout = options?.HiddenDropout ?? 0;
        for (var i = 0; i < Width; i++)
        {
            mask[i] = dropout == 0 ? 1 : _random.NextSingle() >= dropout ? 1 / (1 - dropout) : 0;
        }

        return mask;
    }

    private static float Dot(ReadOnlySpan<float> row, float[] values, float[] mask)
    {
        var sum = 0f;
        for (var i = 0; i < row.Length; i++)
        {
            sum += row[i] * values[i] * mask[i];
        }

        return sum;
    }
}
