using PsyLite.Agent.Risk;
using PsyLite.Agent.Risk.Learned;

namespace PsyLite.Tests.Agent.Risk.Learned;

public sealed class RiskModelTests
{
    private static readonly string[] Texts =
    [
        "活着好累", "今天吃了面", "", "我把猫送给了楼下阿姨，房租交到月底，冰箱也清空了，没有遗憾了，晚安。然后去上班，开会，吃饭，睡觉，一切照旧没什么好说的", "😀😀", "a b c",
    ];

    [Fact]
    public void Scores_equal_the_plain_sum_over_the_best_window()
    {
        var features = new TrainingFeatures();
        var parameters = Parameters(features, seed: 3);
        var file = TrainingFeatures.File(parameters);
        var reference = new ReferenceModel(parameters);
        foreach (var text in Texts)
        {
            var read = features.Read(text);
            var scores = features.Score(file, text);
            for (var output = 0; output < RiskOutputs.Count; output++)
            {
                Assert.Equal(reference.Probability(read, output), scores[output], 4);
            }
        }
    }

    [Fact]
    public void The_classifier_that_comes_along_loads_and_tells_plain_cases_apart()
    {
        var model = RiskModelFile.Read(PsyLite.Agent.EmbeddedText.Bytes("Learned.risk-model.bin"));
        Assert.InRange(model.FeatureCount, 10_000, 200_000);
        var reader = new MessageReader();
        float Danger(string text)
        {
            var (view, rules) = reader.ForTraining(text);
            return model.Score(view.Text, reader.Features, rules)[RiskOutput.Danger];
        }

        Assert.True(Danger("我真的不想活了，每天都想死") > 0.9);
        Assert.True(Danger("晚饭吃了番茄炒蛋，味道不错") < 0.2);
    }

    [Fact]
    public void A_damaged_file_is_refused_in_one_line_and_never_read_beyond_its_end()
    {
        var whole = TrainingFeatures.File(Parameters(new TrainingFeatures(), seed: 5));
        foreach (var length in Enumerable.Range(0, 200).Append(whole.Length - 1))
        {
            Assert.Contains("psylite train risk", Assert.Throws<InvalidDataException>(() => RiskModelFile.Read(whole.AsSpan(0, length))).Message);
        }

        Assert.Throws<InvalidDataException>(() => RiskModelFile.Read([.. whole, 0]));
    }

    [Fact]
    public void Any_bytes_give_a_model_or_a_clear_refusal()
    {
        var whole = TrainingFeatures.File(Parameters(new TrainingFeatures(), seed: 5));
        var random = new Random(11);
        var reader = new MessageReader();
        for (var round = 0; round < 400; round++)
        {
            var bytes = whole.ToArray();
            for (var k = random.Next(1, 6); k > 0; k--)
            {
                bytes[random.Next(Math.Min(bytes.Length, round % 2 == 0 ? 200 : bytes.Length))] = (byte)random.Next(256);
            }

            try
            {
                var scores = RiskModelFile.Read(bytes).Score("活着好累", reader.Features, []);
                Assert.All(scores.Probabilities, p => Assert.InRange(p, 0, 1));
            }
            catch (InvalidDataException)
            {
                // Refused: that is the other good end.
            }
        }
    }

    private static RiskParameters Parameters(TrainingFeatures features, int seed)
    {
        var random = new Random(seed);
        uint[] known = [.. Texts.SelectMany(t => features.Read(t).Whole).Distinct().Where((_, i) => i % 3 != 0)];
        float[] Some(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => scale * ((float)random.NextDouble() - 0.5f))];
        const int width = 16;
        var network = new RiskNetwork(width, 2, Some(known.Length * width, 1), Some(width * width, 1), Some(width, 1), Some(RiskOutputs.Count * width, 2), Some(RiskOutputs.Count, 1));
        return new RiskParameters(
            known, Some(known.Length * RiskOutputs.Count, 4), Some(RiskOutputs.Count, 1), network, Some(RiskOutputs.Parts * RiskOutputs.Count, 2), Some(RiskOutputs.Count, 1));
    }

    /// <summary>What the file says, computed plainly in double precision.</summary>
    private sealed class ReferenceModel(RiskParameters parameters)
    {
        private readonly Dictionary<uint, int> _rows = parameters.Features.Select((f, row) => (f, row)).ToDictionary(p => p.f, p => p.row);
        private readonly double[] _weights = Rounded(parameters.Weights, RiskOutputs.Count);
        private readonly double[] _columns = Rounded(parameters.Network.Rows, parameters.Network.Width);

        public double Probability(MessageWindows read, int output)
        {
            double Most(Func<uint[], double> logit) => RiskOutputs.IsOfWholeMessage(output) ? logit(read.Whole) : read.Windows.Max(logit);
            double Slope(int part) => parameters.Slopes[(part * RiskOutputs.Count) + output];
            var logit = (Slope(0) * Most(i => Linear(i, output))) + (Slope(1) * Most(i => Network(i, output))) + (Slope(2) * Math.Log(read.Windows.Count)) + parameters.Offsets[output];
            return 1 / (1 + Math.Exp(-logit));
        }

        private double Linear(uint[] instance, int output) => parameters.Bias[output] + Sum(instance, _weights, RiskOutputs.Count, output);

        private double Network(uint[] instance, int output)
        {
            var (network, width) = (parameters.Network, parameters.Network.Width);
            var first = Enumerable.Range(0, width).Select(k => Math.Tanh(network.Gain * Sum(instance, _columns, width, k))).ToArray();
            var second = Enumerable.Range(0, width).Select(i => Math.Max(0, network.HiddenBias[i] + first.Select((v, k) => v * network.Hidden[(i * width) + k]).Sum())).ToArray();
            return network.TopBias[output] + second.Select((v, i) => v * network.Top[(output * width) + i]).Sum();
        }

        private double Sum(uint[] instance, double[] matrix, int columns, int column) =>
            instance.Sum(h => _rows.TryGetValue(h, out var row) ? matrix[(row * columns) + column] : 0) / Math.Sqrt(Math.Max(TrainingFeatures.FewestFeatures, instance.Length));

        /// <summary>Each column in 127 steps of its largest value.</summary>
        private static double[] Rounded(float[] values, int columns)
        {
            double Scale(int column) => values.Where((_, i) => i % columns == column).Max(Math.Abs) / sbyte.MaxValue;
            var scales = Enumerable.Range(0, columns).Select(Scale).ToArray();
            return [.. values.Select((v, i) => Math.Round(v / scales[i % columns]) * scales[i % columns])];
        }
    }
}
