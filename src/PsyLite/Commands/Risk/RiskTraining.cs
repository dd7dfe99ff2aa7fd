using System.Security.Cryptography;
using System.Text;
using PsyLite.Agent.Risk;
using PsyLite.Agent.Risk.Learned;
using PsyLite.Evaluation.Safety;
using PsyLite.Training.Sparse;

namespace PsyLite.Commands.Risk;

/// <summary>From labelled messages to the parameters of the classifier: features, training, the largest weights, calibration.</summary>
internal sealed class RiskTraining(RiskRecipe recipe)
{
    /// <summary>One training message in this many sets the calibration instead of the weights.</summary>
    private const int CalibrationShare = 10;
    private readonly TrainingFeatures _features = new();
    private readonly Dictionary<uint, int> _numbers = [];

    public RiskParameters Run(IEnumerable<RiskExample> examples, Action<int, double>? onEpoch, CancellationToken cancellationToken)
    {
        List<(RiskExample Example, MessageWindows Windows)> read =
            [.. examples.Select(e => (e, _features.Read(e.Message.Text, e.Message.MarkStart, e.Message.MarkEnd)))];
        Number(read.Select(r => r.Windows));
        List<(SparseBag Bag, bool Calibrates)> bags = [.. read.Select(r => (Bag(r.Example, r.Windows), IsForCalibration(r.Example.Message)))];
        var whole = Enumerable.Range(0, RiskOutputs.Count).Select(RiskOutputs.IsOfWholeMessage).ToArray();
        SparseBag[] toLearn = [.. bags.Where(b => !b.Calibrates).Select(b => b.Bag)];
        var linear = SparseLogistic.Mean([.. Enumerable.Range(recipe.Seed, recipe.Models).Select(seed => Train(toLearn, whole, seed, onEpoch, cancellationToken))]);
        var network = new SparseNetwork(_numbers.Count, recipe.Width, whole, TrainingFeatures.FewestFeatures, recipe.Seed);
        var options = new SparseNetworkOptions { Epochs = recipe.NetworkEpochs, LearningRate = recipe.NetworkLearningRate, Dropout = recipe.NetworkDropout };
        network.Train(toLearn, options, onEpoch, cancellationToken);
        var kept = Largest(linear, network);
        linear.KeepOnly(kept);
        network.KeepOnly(kept);
        var (slopes, offsets) = Calibrate([.. bags.Where(b => b.Calibrates).Select(b => b.Bag)], linear, network);
        return Parameters(linear, network, kept, slopes, offsets);
    }

    /// <summary>The features that weigh most in both parts together, each part measured against its own mean.</summary>
    private int[] Largest(SparseLogistic linear, SparseNetwork network)
    {
        var weights = Lengths(linear.Weights, RiskOutputs.Count);
        var rows = Lengths(network.Rows, network.Width);
        var (mean, meanRow) = (weights.Average(), rows.Average());
        return [.. Enumerable.Range(0, _numbers.Count).OrderByDescending(f => (weights[f] / mean) + (rows[f] / meanRow)).Take(recipe.Features).Order()];
    }

    private static double[] Lengths(ReadOnlySpan<float> matrix, int columns)
    {
        var lengths = new double[matrix.Length / columns];
        for (var i = 0; i < matrix.Length; i++)
        {
            lengths[i / columns] += matrix[i] * (double)matrix[i];
        }

        return [.. lengths.Select(Math.Sqrt)];
    }

    private static (float[] Slopes, float[] Offsets) Calibrate(List<SparseBag> bags, SparseLogistic linear, SparseNetwork network)
    {
        var logits = bags.ConvertAll(b => (b.Labels, Linear: linear.Logits(b), Network: network.Logits(b), Length: RiskOutputs.LengthOf(b.Windows.Count)));
        var (slopes, offsets) = (new float[RiskOutputs.Parts * RiskOutputs.Count], new float[RiskOutputs.Count]);
        for (var output = 0; output < RiskOutputs.Count; output++)
        {
            var labelled = logits.Where(l => !float.IsNaN(l.Labels[output])).Select(l => (new[] { l.Linear[output], l.Network[output], l.Length }, l.Labels[output] > 0.5f));
            var (all, offset) = PlattScaling.Fit(labelled, RiskOutputs.Parts);
            offsets[output] = offset;
            for (var part = 0; part < RiskOutputs.Parts; part++)
            {
                slopes[(part * RiskOutputs.Count) + output] = all[part];
            }
        }

        return (slopes, offsets);
    }

    private RiskParameters Parameters(SparseLogistic linear, SparseNetwork network, int[] kept, float[] slopes, float[] offsets)
    {
        var hashes = new uint[_numbers.Count];
        foreach (var (hash, number) in _numbers)
        {
            hashes[number] = hash;
        }

        var (layers, width) = (network.Layers, network.Width);
        var parts = new RiskNetwork(width, SparseNetwork.Gain, Rows(network.Rows, width, kept), layers.Hidden, layers.HiddenBias, layers.Top, layers.TopBias);
        return new RiskParameters([.. kept.Select(k => hashes[k])], Rows(linear.Weights, RiskOutputs.Count, kept), linear.Bias.ToArray(), parts, slopes, offsets);
    }

    private static float[] Rows(ReadOnlySpan<float> matrix, int columns, int[] kept)
    {
        var rows = new float[kept.Length * columns];
        for (var row = 0; row < kept.Length; row++)
        {
            matrix.Slice(kept[row] * columns, columns).CopyTo(rows.AsSpan(row * columns));
        }

        return rows;
    }

    private SparseLogistic Train(SparseBag[] bags, bool[] ofWhole, int seed, Action<int, double>? onEpoch, CancellationToken cancellationToken)
    {
        var model = new SparseLogistic(_numbers.Count, ofWhole, TrainingFeatures.FewestFeatures);
        var options = new SparseLogisticOptions
        {
            Epochs = recipe.Epochs,
            LearningRate = recipe.LearningRate,
            Dropout = recipe.Dropout,
            Decay = recipe.Decay,
            Seed = seed,
        };
        model.Train(bags, options, onEpoch, cancellationToken);
        return model;
    }

    private void Number(IEnumerable<MessageWindows> messages)
    {
        var counts = new Dictionary<uint, int>();
        foreach (var hash in messages.SelectMany(m => m.Whole.Distinct()))
        {
            counts[hash] = counts.GetValueOrDefault(hash) + 1;
        }

        foreach (var (hash, count) in counts.OrderBy(c => c.Key))
        {
            if (count >= recipe.LeastMessages)
            {
                _numbers.Add(hash, _numbers.Count);
            }
        }
    }

    private SparseBag Bag(RiskExample example, MessageWindows windows)
    {
        var message = example.Message;
        int[] Numbers(uint[] hashes) => [.. hashes.Select(h => _numbers.GetValueOrDefault(h, -1))];
        var weight = message.Kind == RiskExample.House ? recipe.ConversationWeight
            : message.Source.StartsWith("phrases", StringComparison.Ordinal) ? recipe.PhraseWeight
            : message.Source == MixedPosts.Source ? recipe.MixedWeight
            : message.Source is "practice" or "commands" ? recipe.PracticeWeight
            : message.Tier is Tier.T1 ? recipe.BorderWeight
            : 1;
        return new SparseBag([.. windows.Windows.Select(Numbers)], windows.Marked, Numbers(windows.Whole), Labels(example), weight);
    }

    private static float[] Labels(RiskExample example)
    {
        var message = example.Message;
        var labels = new float[RiskOutputs.Count];
        float Of(bool yes) => yes ? 1 : 0;
        float OfMood(LabelledMood mood) => message.Mood == LabelledMood.None ? float.NaN : Of(message.Mood == mood);
        var tier = message.Tier;
        labels[(int)RiskOutput.Danger] = Of(message.IsDanger);
        labels[(int)RiskOutput.Acute] = tier is Tier.TO or Tier.TA ? float.NaN : Of(tier is Tier.T3 or Tier.T4);
        labels[(int)RiskOutput.Act] = tier is Tier.TO or Tier.TA ? float.NaN : Of(tier is Tier.T4);
        labels[(int)RiskOutput.Worry] = tier is Tier.T0 or Tier.TF or Tier.TO or Tier.TA ? (tier == Tier.T0 ? 0 : float.NaN) : 1;
        labels[(int)RiskOutput.Friend] = Of(tier == Tier.TF);
        labels[(int)RiskOutput.Harm] = Of(tier == Tier.TO);
        labels[(int)RiskOutput.Abuse] = Of(tier == Tier.TA);
        labels[(int)RiskOutput.Happy] = tier == Tier.T0 ? OfMood(LabelledMood.Happy) : 0;
        labels[(int)RiskOutput.Sad] = tier == Tier.T0 ? OfMood(LabelledMood.Sad) : tier == Tier.TO ? float.NaN : 1;
        labels[(int)RiskOutput.Angry] = tier == Tier.T0 ? OfMood(LabelledMood.Angry) : float.NaN;
        labels[(int)RiskOutput.HarmfulRequest] = example.Harmful;
        return labels;
    }

    /// <summary>Whole messages by their authors only: probabilities are to hold for what people write.</summary>
    private static bool IsForCalibration(LabelledMessage message) =>
        message.Kind != RiskExample.House && message.Source != MixedPosts.Source && !message.Source.StartsWith("phrases", StringComparison.Ordinal)
        && SHA256.HashData(Encoding.UTF8.GetBytes(message.Text))[1] % CalibrationShare == 0;
}
