namespace PsyLite.Training.Sparse;

/// <summary>
/// One example: several sets of features of which the most telling decides (multiple-instance learning), and the set of them all for outputs
/// that belong to the whole. Features are numbers below the count given to <see cref="SparseLogistic"/>; a number may
/// repeat, and -1 stands for one that is not learned and only counts.
/// </summary>
/// <param name="Windows">Alternatives; for a positive label the largest logit among the marked ones is raised, for a negative one the largest of all is lowered.</param>
/// <param name="Marked">Which windows may carry a positive label; null for all.</param>
/// <param name="Labels">1, 0 or NaN (says nothing) for each output.</param>
public sealed record SparseBag(IReadOnlyList<int[]> Windows, IReadOnlyList<bool>? Marked, int[] Whole, float[] Labels, float Weight = 1);

/// <summary>How <see cref="SparseLogistic"/> is trained.</summary>
public sealed record SparseLogisticOptions
{
    public int Epochs { get; init; } = 8;

    public float LearningRate { get; init; } = 0.15f;

    /// <summary>Share of an instance's features left out at each step, so that none becomes indispensable.</summary>
    public float Dropout { get; init; } = 0.3f;

    /// <summary>L2 penalty on the weights of the features in a step.</summary>
    public float Decay { get; init; } = 1e-4f;

    public int Seed { get; init; } = 1;
}

/// <summary>
/// Logistic regression with several outputs on sparse features, trained bag by bag with AdaGrad (Duchi, Hazan and Singer, 2011). The logit of
/// an instance is bias + Σ weights / √max(fewest, number of features).
/// </summary>
public sealed class SparseLogistic
{
    private readonly int _outputs;
    private readonly int _fewest;
    private readonly bool[] _whole;
    private readonly float[] _weights;
    private readonly float[] _bias;
    private readonly float[] _squares;
    private readonly float[] _biasSquares;

    /// <param name="ofWhole">Which outputs read the whole instead of the most telling window.</param>
    /// <param name="fewest">Instances with fewer features are scaled as if they had this many.</param>
    public SparseLogistic(int features, bool[] ofWhole, int fewest)
    {
        (_outputs, _whole, _fewest) = (ofWhole.Length, ofWhole, fewest);
        _weights = new float[(long)features * _outputs];
        _squares = new float[_weights.Length];
        _bias = new float[_outputs];
        _biasSquares = new float[_outputs];
    }

    /// <summary>[feature][output], row after row.</summary>
    public ReadOnlySpan<float> Weights => _weights;

    public ReadOnlySpan<float> Bias => _bias;

    /// <summary>The mean of models of the same shape: what they learned by the luck of the order cancels out.</summary>
    public static SparseLogistic Mean(IReadOnlyList<SparseLogistic> models)
    {
        var first = models[0];
        var mean = new SparseLogistic(first._weights.Length / first._outputs, first._whole, first._fewest);
        foreach (var model in models)
        {
            for (var i = 0; i < mean._weights.Length; i++)
            {
                mean._weights[i] += model._weights[i] / models.Count;
            }

            for (var output = 0; output < mean._outputs; output++)
            {
                mean._bias[output] += model._bias[output] / models.Count;
            }
        }

        return mean;
    }

    /// <summary>Trains on <paramref name="bags"/> in an order that the seed decides; reports the mean loss of each epoch.</summary>
    public void Train(IReadOnlyList<SparseBag> bags, SparseLogisticOptions options, Action<int, double>? onEpoch = null, CancellationToken cancellationToken = default)
    {
        var random = new Random(options.Seed);
        int[] order = [.. Enumerable.Range(0, bags.Count)];
        for (var epoch = 0; epoch < options.Epochs; epoch++)
        {
            random.Shuffle(order);
            var rate = options.LearningRate * (1 - (epoch / (float)options.Epochs));
            var loss = 0.0;
            foreach (var number in order)
            {
                cancellationToken.ThrowIfCancellationRequested();
                loss += Step(bags[number], rate, options, random);
            }

            onEpoch?.Invoke(epoch + 1, loss / bags.Count);
        }
    }

    /// <summary>Sets the rows of all features but <paramref name="kept"/> to zero.</summary>
    public void KeepOnly(IReadOnlyList<int> kept)
    {
        var keep = kept.ToHashSet();
        for (var feature = 0; feature < _weights.Length / _outputs; feature++)
        {
            if (!keep.Contains(feature))
            {
                Array.Clear(_weights, feature * _outputs, _outputs);
            }
        }
    }

    /// <summary>The logits of a bag, one for each output.</summary>
    public float[] Logits(SparseBag bag) => BagLoss.Decide(bag.Windows.Select(Logits), Logits(bag.Whole), _whole);

    /// <summary>Loss of a bag and its gradient with respect to the weights in use, for checking.</summary>
    internal (double Loss, Dictionary<(int Feature, int Output), double> Gradient) LossAndGradient(SparseBag bag)
    {
        var gradient = new Dictionary<(int, int), double>();
        var loss = 0.0;
        foreach (var (window, output, slope, part) in BagLoss.Terms(bag, [.. bag.Windows.Select(Logits)], Logits(bag.Whole), _whole))
        {
            loss += part;
            var instance = window < 0 ? bag.Whole : bag.Windows[window];
            var scale = 1 / Math.Sqrt(Math.Max(_fewest, instance.Length));
            foreach (var feature in instance.Where(f => f >= 0))
            {
                gradient[(feature, output)] = gradient.GetValueOrDefault((feature, output)) + (slope * scale);
            }
        }

        return (loss, gradient);
    }

    internal void Nudge(int feature, int output, float by) => _weights[(feature * _outputs) + output] += by;

    private double Step(SparseBag bag, float rate, SparseLogisticOptions options, Random random)
    {
        var windows = bag.Windows.Select(w => Thin(w, options.Dropout, random)).ToList();
        var whole = Thin(bag.Whole, options.Dropout, random);
        var loss = 0.0;
        foreach (var (window, output, slope, part) in BagLoss.Terms(bag, windows.ConvertAll(Logits), Logits(whole), _whole))
        {
            loss += part;
            var instance = window < 0 ? whole : windows[window];
            var scaled = slope / MathF.Sqrt(Math.Max(_fewest, instance.Length));
            foreach (var feature in instance)
            {
                if (feature < 0)
                {
                    continue;
                }

                var at = (feature * _outputs) + output;
                var gradient = scaled + (options.Decay * _weights[at]);
                _squares[at] += gradient * gradient;
                _weights[at] -= rate * gradient / (MathF.Sqrt(_squares[at]) + 1e-6f);
            }

            _biasSquares[output] += slope * slope;
            _bias[output] -= rate * slope / (MathF.Sqrt(_biasSquares[output]) + 1e-6f);
        }

        return loss;
    }

    private float[] Logits(int[] instance)
    {
        var logits = new float[_outputs];
        foreach (var feature in instance)
        {
            if (feature < 0)
            {
                continue;
            }

            var row = feature * _outputs;
            for (var output = 0; output < _outputs; output++)
            {
                logits[output] += _weights[row + output];
            }
        }

        var scale = 1 / MathF.Sqrt(Math.Max(_fewest, instance.Length));
        for (var output = 0; output < _outputs; output++)
        {
            logits[output] = _bias[output] + (scale * logits[output]);
        }

        return logits;
    }

    private static int[] Thin(int[] features, float dropout, Random random)
    {
        if (dropout <= 0)
        {
            return features;
        }

        var kept = new List<int>(features.Length);
        foreach (var feature in features)
        {
            if (random.NextSingle() >= dropout)
            {
                kept.Add(feature);
            }
        }

        return [.. kept];
    }
}
