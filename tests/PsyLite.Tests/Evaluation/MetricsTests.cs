using PsyLite.Evaluation.Metrics;

namespace PsyLite.Tests.Evaluation;

/// <summary>Every metric against numbers worked out by hand.</summary>
public sealed class MetricsTests
{
    [Theory]
    [InlineData(8, 10, 0.8, 0.4902, 0.9433)]
    [InlineData(0, 10, 0.0, 0.0, 0.2775)]
    [InlineData(10, 10, 1.0, 0.7225, 1.0)]
    [InlineData(1, 2, 0.5, 0.0945, 0.9055)]
    [InlineData(960, 1000, 0.96, 0.9460, 0.9705)]
    public void Wilson_intervals(int hits, int of, double rate, double low, double high)
    {
        var proportion = new Proportion(hits, of);
        Assert.Equal(rate, proportion.Rate!.Value, 1e-9);
        Assert.Equal(low, proportion.Low, 5e-5);
        Assert.Equal(high, proportion.High, 5e-5);
    }

    [Fact]
    public void Of_nothing_nothing_is_known()
    {
        var none = new Proportion(0, 0);
        Assert.Null(none.Rate);
        Assert.Equal((0.0, 1.0), (none.Low, none.High));
    }

    [Fact]
    public void Detection_counts_all_four_outcomes()
    {
        // 3 found, 1 wrongly claimed, 2 missed, 4 rightly left alone: precision 3/4, recall 3/5, F1 6/9.
        (bool, bool)[] cases =
        [
            (true, true), (true, true), (true, true), (false, true), (true, false), (true, false),
            (false, false), (false, false), (false, false), (false, false),
        ];
        var detection = Detection.Count(cases);
        Assert.Equal(new Detection(3, 1, 2, 4), detection);
        Assert.Equal(0.75, detection.Precision);
        Assert.Equal(0.6, detection.Recall);
        Assert.Equal(6.0 / 9, detection.F1);
        Assert.Null(new Detection(0, 0, 0, 5).F1);
    }

    [Fact]
    public void Calibration_error_and_brier()
    {
        // Tenth 0.1: mean 0.15, half true; tenth 0.9: mean 0.95, all true. ECE = (2 * 0.35 + 2 * 0.05) / 4.
        (double, bool)[] cases = [(0.1, false), (0.2 - 1e-12, true), (0.9, true), (1.0, true)];
        var calibration = Calibration.Of(cases);
        Assert.Equal(0.2, calibration.ExpectedError, 1e-9);
        Assert.Equal((0.01 + 0.64 + 0.01 + 0) / 4, calibration.Brier, 1e-9);
        Assert.Equal(10, calibration.Bins.Count);
        Assert.Equal([0, 2, 0, 0, 0, 0, 0, 0, 0, 2], calibration.Bins.Select(b => b.Count));
        Assert.Equal((0.15, 0.5), (Math.Round(calibration.Bins[1].MeanScore, 9), calibration.Bins[1].Observed));
    }

    [Fact]
    public void Curve_area_and_recall_at_a_rate()
    {
        // Pairs ordered rightly: 0.9 beats all 4; 0.6 beats 3 of 4; 0.3 beats 1 and ties with 1: 8.5 of 12.
        var curve = OperatingCurve.Of([0.9, 0.6, 0.3], [0.7, 0.5, 0.3, 0.1]);
        Assert.Equal(8.5 / 12, curve.Area, 1e-9);
        Assert.Equal(1.0 / 3, curve.RecallAt(0), 1e-9);
        Assert.Equal(2.0 / 3, curve.RecallAt(0.25), 1e-9);
        Assert.Equal(1, curve.RecallAt(0.75), 1e-9);
        Assert.Equal((1.0, 1.0), (curve.Points[^1].Recall, curve.Points[^1].FalseAlarms));
    }

    [Fact]
    public void Percentiles_by_nearest_rank()
    {
        var values = Enumerable.Range(1, 200).Select(i => (double)i).Reverse().ToList();
        Assert.Equal(100, Percentile.Of(values, 0.5));
        Assert.Equal(198, Percentile.Of(values, 0.99));
        Assert.Equal(7, Percentile.Of([7], 0.99));
        Assert.Equal(0, Percentile.Of([], 0.5));
    }
}
