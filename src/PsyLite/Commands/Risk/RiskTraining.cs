using System.Security.Cryptography;
using System.Text;
using PsyLite.Agent.Risk;
using PsyLite.Agent.Risk.Learned;
using PsyLite.Evaluation.Safety;
using PsyLite.Training;

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
        List<(SparseBag Bag, bool Calibrates)> bags = [.. read.Select(r => (Bag(r.Example, r.Windows), r.Example.Message.Kind != RiskExample.House && !r.Example.Message.Source.StartsWith("phrases", StringComparison.Ordinal) && IsForCalibration(r.Example.Message)))];
        var whole = Enumerable.Range(0, RiskOutputs.Count).Select(RiskOutputs.IsOfWholeMessage).ToArray();
        SparseBag[] toLearn = [.. bags.Where(b => !b.Calibrates).Select(b => b.Bag)];
        var model = SparseLogistic.Mean([.. Enumerable.Range(recipe.Seed, recipe.Models).Select(seed => Train(toLearn, whole, seed, onEpoch, cancellationToken))]);
        var kept = model.KeepLargest(recipe.Features);
        var calibration = bags.Where(b => b.Calibrates).Select(b => (b.Bag.Labels, Logits: model.Logits(b.Bag))).ToList();
        var (slopes, offsets) = (new float[RiskOutputs.Count], new float[RiskOutputs.Count]);
        for (var output = 0; output < RiskOutputs.Count; output++)
        {
            (slopes[output], offsets[output]) = PlattScaling.Fit(calibration.Where(c => !float.IsNaN(c.Labels[output])).Select(c => (c.Logits[output], c.Labels[output] > 0.5f)));
        }

        var hashes = new uint[_numbers.Count];
        foreach (var (hash, number) in _numbers)
        {
            hashes[number] = hash;
        }

        var weights = new float[kept.Count * RiskOutputs.Count];
        for (var row = 0; row < kept.Count; row++)
        {
            model.Weights.Slice(kept[row] * RiskOutputs.Count, RiskOutputs.Count).CopyTo(weights.AsSpan(row * RiskOutputs.Count));
        }

        return new RiskParameters([.. kept.Select(k => hashes[k])], weights, model.Bias.ToArray(), slopes, offsets);
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

    private static bool IsForCalibration(LabelledMessage message) =>
        SHA256.HashData(Encoding.UTF8.GetBytes(message.Text))[1] % CalibrationShare == 0;
}
