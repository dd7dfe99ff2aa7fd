namespace PsyLite.Training;

/// <summary>
/// Turns logits into calibrated probabilities, p = σ(slope · z + offset), by maximum likelihood with the smoothed targets of Platt (1999)
/// and Newton steps as in Lin, Lin and Weng (2007).
/// </summary>
public static class PlattScaling
{
    private const int MostSteps = 100;
    private const double Ridge = 1e-9;

    /// <summary>(1, 0) when one of the two classes is missing: there is nothing to calibrate on.</summary>
    public static (float Slope, float Offset) Fit(IEnumerable<(float Logit, bool IsPositive)> examples)
    {
        var all = examples.ToList();
        double positives = all.Count(e => e.IsPositive), negatives = all.Count - positives;
        if (positives == 0 || negatives == 0)
        {
            return (1, 0);
        }

        var (high, low) = ((positives + 1) / (positives + 2), 1 / (negatives + 2));
        var (slope, offset) = (1.0, 0.0);
        var loss = Loss(all, slope, offset, high, low);
        for (var step = 0; step < MostSteps; step++)
        {
            double gs = 0, go = 0, hss = Ridge, hso = 0, hoo = Ridge;
            foreach (var (z, isPositive) in all)
            {
                var p = Sigmoid((slope * z) + offset);
                var error = p - (isPositive ? high : low);
                var curve = p * (1 - p);
                (gs, go) = (gs + (error * z), go + error);
                (hss, hso, hoo) = (hss + (curve * z * z), hso + (curve * z), hoo + curve);
            }

            var determinant = (hss * hoo) - (hso * hso);
            var (ds, d0) = (((hoo * gs) - (hso * go)) / determinant, ((hss * go) - (hso * gs)) / determinant);
            var size = 1.0;
            double next;
            while ((next = Loss(all, slope - (size * ds), offset - (size * d0), high, low)) > loss && size > 1e-8)
            {
                size /= 2;
            }

            (slope, offset) = (slope - (size * ds), offset - (size * d0));
            if (loss - next < 1e-9 * all.Count)
            {
                break;
            }

            loss = next;
        }

        return ((float)slope, (float)offset);
    }

    private static double Loss(List<(float Logit, bool IsPositive)> all, double slope, double offset, double high, double low)
    {
        var loss = 0.0;
        foreach (var (z, isPositive) in all)
        {
            var logit = (slope * z) + offset;
            var target = isPositive ? high : low;

            // log(1 + e^x) without overflow.
            loss += Math.Max(logit, 0) + Math.Log(1 + Math.Exp(-Math.Abs(logit))) - (target * logit);
        }

        return loss;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
