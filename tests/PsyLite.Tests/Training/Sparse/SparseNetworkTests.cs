using System.Text.Json;
using PsyLite.Training.Sparse;

namespace PsyLite.Tests.Training.Sparse;

public sealed class SparseNetworkTests
{
    private static readonly string[] Names = ["rows", "hidden", "hiddenBias", "top", "topBias"];
    private readonly JsonElement _golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Golden/sparse_network_golden.json"))).RootElement;

    [Fact]
    public void Losses_and_gradients_are_those_of_an_independent_implementation()
    {
        var network = AsInGolden();
        var losses = Floats(_golden.GetProperty("losses"));
        foreach (var (bag, number) in Bags().Select((b, i) => (b, i)))
        {
            Assert.Equal(losses[number], network.Add(bag, null, 1), 1e-5);
        }

        foreach (var (parameter, name) in network.Parameters.Zip(Names))
        {
            var expected = Floats(_golden.GetProperty("gradients").GetProperty(name));
            var columns = expected.Length / parameter.Count;
            for (var i = 0; i < expected.Length; i++)
            {
                Assert.Equal(expected[i], parameter.Gradient(i / columns)[i % columns], 1e-5);
            }
        }
    }

    [Fact]
    public void Steps_of_Adam_are_those_of_an_independent_implementation()
    {
        var network = AsInGolden();
        var bags = Bags();
        for (var step = 1; step <= _golden.GetProperty("steps").GetInt32(); step++)
        {
            foreach (var bag in bags)
            {
                network.Add(bag, null, 1f / bags.Count);
            }

            foreach (var parameter in network.Parameters)
            {
                parameter.Step(_golden.GetProperty("rate").GetSingle(), step);
            }
        }

        foreach (var (parameter, name) in network.Parameters.Zip(Names))
        {
            Assert.All(parameter.Values.Zip(Floats(_golden.GetProperty("end").GetProperty(name))), p => Assert.Equal(p.Second, p.First, 2e-5));
        }
    }

    [Fact]
    public void The_gradient_is_the_slope_of_the_loss_in_double_precision()
    {
        var network = AsInGolden();
        var bags = Bags();
        foreach (var bag in bags)
        {
            network.Add(bag, null, 1);
        }

        const double step = 1e-5;
        var start = network.Parameters.Select(p => p.Values.Select(v => (double)v).ToArray()).ToArray();
        foreach (var (parameter, which) in network.Parameters.Select((p, i) => (p, i)))
        {
            var columns = start[which].Length / parameter.Count;
            for (var i = 0; i < start[which].Length; i++)
            {
                double LossAt(double moved)
                {
                    var parameters = start.Select(p => p.ToArray()).ToArray();
                    parameters[which][i] += moved;
                    return bags.Sum(b => Loss(parameters, b));
                }

                Assert.Equal((LossAt(step) - LossAt(-step)) / (2 * step), parameter.Gradient(i / columns)[i % columns], 1e-4);
            }
        }
    }

    [Fact]
    public void What_two_features_mean_only_together_is_learned()
    {
        // Positive when exactly one of the features 0 and 1 is there, which no sum of weights can tell.
        var random = new Random(3);
        SparseBag Bag()
        {
            var (a, b) = (random.Next(2) == 0, random.Next(2) == 0);
            int[] features = [.. a ? [0] : Array.Empty<int>(), .. b ? [1] : Array.Empty<int>(), 2 + random.Next(4)];
            return new SparseBag([features], null, features, [a != b ? 1 : 0]);
        }

        SparseBag[] bags = [.. Enumerable.Range(0, 2000).Select(_ => Bag())];
        var network = new SparseNetwork(6, 16, [false], fewest: 1, seed: 2);
        network.Train(bags, new SparseNetworkOptions { Epochs = 10, LearningRate = 0.02f, Dropout = 0, HiddenDropout = 0, BatchSize = 16 });
        Assert.All(bags.Take(200), b => Assert.Equal(b.Labels[0] > 0.5f, network.Logits(b)[0] > 0));
    }

    [Fact]
    public void The_same_seed_gives_the_same_network()
    {
        float[] Train(int seed)
        {
            var network = new SparseNetwork(11, 5, [false, false, true], fewest: 3, seed);
            network.Train(Bags(), new SparseNetworkOptions());
            return network.Rows.ToArray();
        }

        Assert.Equal(Train(4), Train(4));
        Assert.NotEqual(Train(4), Train(5));
    }

    private SparseNetwork AsInGolden()
    {
        bool[] ofWhole = [.. _golden.GetProperty("ofWhole").EnumerateArray().Select(e => e.GetBoolean())];
        var network = new SparseNetwork(_golden.GetProperty("features").GetInt32(), _golden.GetProperty("width").GetInt32(), ofWhole, _golden.GetProperty("fewest").GetInt32(), seed: 1);
        foreach (var (parameter, name) in network.Parameters.Zip(Names))
        {
            Floats(_golden.GetProperty("start").GetProperty(name)).CopyTo(parameter.Values, 0);
        }

        return network;
    }

    private List<SparseBag> Bags() =>
    [
        .. _golden.GetProperty("bags").EnumerateArray().Select(b => new SparseBag(
            [.. b.GetProperty("windows").EnumerateArray().Select(Integers)],
            b.GetProperty("marked") is { ValueKind: JsonValueKind.Array } marked ? [.. marked.EnumerateArray().Select(m => m.GetBoolean())] : null,
            Integers(b.GetProperty("whole")),
            [.. b.GetProperty("labels").EnumerateArray().Select(l => l.ValueKind == JsonValueKind.Null ? float.NaN : l.GetSingle())],
            b.GetProperty("weight").GetSingle())),
    ];

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];

    private static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetSingle())];

    /// <summary>The definition written down once more, in double precision, without any of the network's code.</summary>
    private double Loss(double[][] parameters, SparseBag bag)
    {
        var (width, fewest) = (_golden.GetProperty("width").GetInt32(), _golden.GetProperty("fewest").GetInt32());
        double[] Logits(int[] instance)
        {
            var first = Enumerable.Range(0, width).Select(i =>
                Math.Tanh(2 / Math.Sqrt(Math.Max(fewest, instance.Length)) * instance.Where(f => f >= 0).Sum(f => parameters[0][(f * width) + i]))).ToArray();
            var second = Enumerable.Range(0, width).Select(i =>
                Math.Max(0, first.Select((v, k) => v * parameters[1][(i * width) + k]).Sum() + parameters[2][i])).ToArray();
            return [.. Enumerable.Range(0, 3).Select(o => second.Select((v, i) => v * parameters[3][(o * width) + i]).Sum() + parameters[4][o])];
        }

        var windows = bag.Windows.Select(Logits).ToList();
        var whole = Logits(bag.Whole);
        var loss = 0.0;
        for (var output = 0; output < 3; output++)
        {
            var label = bag.Labels[output];
            if (float.IsNaN(label))
            {
                continue;
            }

            var z = output == 2 ? whole[output] : windows.Where((_, i) => label < 0.5 || bag.Marked is null || bag.Marked[i]).Max(w => w[output]);
            loss += bag.Weight * (Math.Log(1 + Math.Exp(z)) - (label * z));
        }

        return loss;
    }
}
