using PsyLite.Training.Sparse;

namespace PsyLite.Tests.Training.Sparse;

public sealed class SparseLogisticTests
{
    private static readonly SparseBag[] Bags =
    [
        new([[0, 1, 2], [3, 4, -1]], null, [0, 1, 2, 3, 4, -1], [1, 0, float.NaN]),
        new([[2, 2, 5], [1, 6]], [false, true], [2, 2, 5, 1, 6], [1, 1, 1], 0.5f),
        new([[-1]], null, [-1], [0, 0, 0]),
    ];

    [Fact]
    public void The_gradient_is_the_slope_of_the_loss()
    {
        var model = new SparseLogistic(7, [false, false, true], fewest: 2);
        var random = new Random(1);
        for (var feature = 0; feature < 7; feature++)
        {
            for (var output = 0; output < 3; output++)
            {
                model.Nudge(feature, output, (float)(random.NextDouble() - 0.5));
            }
        }

        const float step = 1e-2f;
        foreach (var bag in Bags)
        {
            var gradient = model.LossAndGradient(bag).Gradient;
            for (var feature = 0; feature < 7; feature++)
            {
                for (var output = 0; output < 3; output++)
                {
                    model.Nudge(feature, output, step);
                    var up = model.LossAndGradient(bag).Loss;
                    model.Nudge(feature, output, -2 * step);
                    var down = model.LossAndGradient(bag).Loss;
                    model.Nudge(feature, output, step);
                    Assert.Equal((up - down) / (2 * step), gradient.GetValueOrDefault((feature, output)), 3);
                }
            }
        }
    }

    [Fact]
    public void One_telling_window_is_found_among_harmless_ones()
    {
        // Feature 0 means danger, 1 to 5 mean nothing; a bag is positive when one of its windows holds 0.
        var random = new Random(2);
        int[] Window(bool tells) => [.. Enumerable.Range(0, 4).Select(_ => random.Next(1, 6)), .. tells ? [0] : Array.Empty<int>()];
        SparseBag Bag(bool positive)
        {
            int[][] windows = [.. Enumerable.Range(0, 5).Select(i => Window(positive && i == 2))];
            return new SparseBag(windows, null, [.. windows.SelectMany(w => w)], [positive ? 1 : 0]);
        }

        SparseBag[] train = [.. Enumerable.Range(0, 300).Select(i => Bag(i % 2 == 0))];
        var model = new SparseLogistic(6, [false], fewest: 1);
        model.Train(train, new SparseLogisticOptions { Epochs = 10, Dropout = 0 });
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(i % 2 == 0, model.Logits(Bag(i % 2 == 0))[0] > 0);
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights()
    {
        float[] Train(int seed)
        {
            var model = new SparseLogistic(7, [false, false, true], fewest: 2);
            model.Train(Bags, new SparseLogisticOptions { Seed = seed });
            return model.Weights.ToArray();
        }

        Assert.Equal(Train(4), Train(4));
        Assert.NotEqual(Train(4), Train(5));
    }

    [Fact]
    public void Only_the_rows_that_are_kept_stay()
    {
        var model = new SparseLogistic(4, [false, false], fewest: 1);
        model.Nudge(1, 0, 3);
        model.Nudge(2, 1, -2);
        model.Nudge(3, 0, 0.1f);
        model.KeepOnly([1, 2]);
        Assert.Equal([0, 0, 3, 0, 0, -2, 0, 0], model.Weights.ToArray());
    }

    [Fact]
    public void Platt_scaling_recovers_the_slopes_that_made_the_labels()
    {
        var random = new Random(3);
        float Number() => (float)((random.NextDouble() * 8) - 4);
        var examples = Enumerable.Range(0, 40_000).Select(_ =>
        {
            float[] z = [Number(), Number()];
            return (z, random.NextDouble() < 1 / (1 + Math.Exp(-((1.7 * z[0]) - (0.4 * z[1]) - 0.6))));
        }).ToList();
        var (slopes, offset) = PlattScaling.Fit(examples, models: 2);
        Assert.Equal(1.7, slopes[0], 0.06);
        Assert.Equal(-0.4, slopes[1], 0.06);
        Assert.Equal(-0.6, offset, 0.06);
        var (equal, none) = PlattScaling.Fit([([1f, 3f], true), ([2f, 0f], true)], models: 2);
        Assert.Equal([0.5f, 0.5f], equal);
        Assert.Equal(0, none);
    }
}
