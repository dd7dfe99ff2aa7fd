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
        var weights = parameters.Features.Select((f, row) => (f, row)).ToDictionary(p => p.f, p => p.row);
        foreach (var text in Texts)
        {
            var read = features.Read(text);
            var scores = features.Score(file, text);
            for (var output = 0; output < RiskOutputs.Count; output++)
            {
                double Logit(uint[] instance) => parameters.Bias[output]
                    + (instance.Sum(h => weights.TryGetValue(h, out var row) ? Rounded(parameters, row, output) : 0) / Math.Sqrt(Math.Max(TrainingFeatures.FewestFeatures, instance.Length)));
                var logit = RiskOutputs.IsOfWholeMessage(output) ? Logit(read.Whole) : read.Windows.Max(Logit);
                var expected = 1 / (1 + Math.Exp(-((parameters.Slopes[output] * logit) + parameters.Offsets[output])));
                Assert.Equal(expected, scores[output], 4);
            }
        }
    }

    [Fact]
    public void The_classifier_that_comes_along_loads_and_tells_plain_cases_apart()
    {
        var model = RiskModel.Read(PsyLite.Agent.EmbeddedText.Bytes("Learned.risk-model.bin"));
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
            Assert.Contains("psylite train risk", Assert.Throws<InvalidDataException>(() => RiskModel.Read(whole.AsSpan(0, length))).Message);
        }

        Assert.Throws<InvalidDataException>(() => RiskModel.Read([.. whole, 0]));
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
                var scores = RiskModel.Read(bytes).Score("活着好累", reader.Features, []);
                Assert.All(scores.Probabilities, p => Assert.InRange(p, 0, 1));
            }
            catch (InvalidDataException)
            {
                // Refused: that is the other good end.
            }
        }
    }

    private static double Rounded(RiskParameters parameters, int row, int output)
    {
        var largest = Enumerable.Range(0, parameters.Features.Length).Max(r => Math.Abs(parameters.Weights[(r * RiskOutputs.Count) + output]));
        var scale = Math.Max(largest, 1e-6f) / sbyte.MaxValue;
        return Math.Round(parameters.Weights[(row * RiskOutputs.Count) + output] / scale) * scale;
    }

    private static RiskParameters Parameters(TrainingFeatures features, int seed)
    {
        var random = new Random(seed);
        uint[] known = [.. Texts.SelectMany(t => features.Read(t).Whole).Distinct().Where((_, i) => i % 3 != 0)];
        float[] Some(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => scale * ((float)random.NextDouble() - 0.5f))];
        return new RiskParameters(known, Some(known.Length * RiskOutputs.Count, 4), Some(RiskOutputs.Count, 1), Some(RiskOutputs.Count, 2), Some(RiskOutputs.Count, 1));
    }
}
