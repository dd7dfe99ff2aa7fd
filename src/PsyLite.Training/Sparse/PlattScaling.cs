namespace PsyLite.Training.Sparse;

/// <summary>
/// Turns the logits of one or more models into calibrated probabilities, p = σ(Σ slopeᵢ · zᵢ + offset), by maximum likelihood with the smoothed
/// targets of Platt (1999) and damped Newton steps as in Lin, Lin and Weng (2007).
/// </summary>
public static class PlattScaling
{
    private const int MostSteps = 100;
    private const double Ridge = 1e-6;

    /// <summary>Equal slopes and no offset when one of the two classes is missing: there is nothing to calibrate on.</summary>
    public static (float[] Slopes, float Offset) Fit(IEnumerable<(float[] Logits, bool IsPositive)> examples, int models)
    {
        var all = examples.ToList();
        double positives = all.Count(e => e.IsPositive), negatives = all.Count - positives;
        var weights = Enumerable.Repeat(1.0 / models, models).Append(0).ToArray();
        if (positives > 0 && negatives > 0)
        {
            Newton(all, weights, (positives + 1) / (positives + 2), 1 / (negatives + 2));
        }

        return ([.. weights.Take(models).Select(w => (float)w)], (float)weights[models]);
    }

    private static void Newton(List<(float[] Logits, bool IsPositive)> all, double[] weights, double high, double low)
    {
        var loss = Loss(all, weights, high, low);
        for (var step = 0; step < MostSteps; step++)
        {
            var direction = Direction(all, weights, high, low);
            var size = 1.0;
            double next;
            double[] moved;
            do
            {
                moved = [.. weights.Select((w, i) => w - (size * direction[i]))];
                next = Loss(all, moved, high, low);
                size /= 2;
            }
            while (next > loss && size > 1e-8);

            moved.CopyTo(weights, 0);
            if (loss - next < 1e-9 * all.Count)
            {
                return;
            }

            loss = next;
        }
    }

    /// <summary>Hessian⁻¹ · gradient.</summary>
    private static double[] Direction(List<(float[] Logits, bool IsPositive)> all, double[] weights, double high, double low)
    {
        var size = weights.Length;
        var (gradient, hessian) = (new double[size], new double[size, size]);
        for (var i = 0; i < size; i++)
        {
            hessian[i, i] = Ridge;
        }

        foreach (var (logits, isPositive) in all)
        {
            var p = 1 / (1 + Math.Exp(-Logit(logits, weights)));
            var (error, curve) = (p - (isPositive ? high : low), p * (1 - p));
            for (var i = 0; i < size; i++)
            {
                var a = i < logits.Length ? logits[i] : 1;
                gradient[i] += error * a;
                for (var k = 0; k < size; k++)
                {
                    hessian[i, k] += curve * a * (k < logits.Length ? logits[k] : 1);
                }
            }
        }

        return Solve(hessian, gradient);
    }

    /// <summary>Gaussian elimination; the matrix is positive definite, so no pivot is nought.</summary>
    private static double[] Solve(double[,] matrix, double[] right)
    {
        var size = right.Length;
        for (var i = 0; i < size; i++)
        {
            for (var row = i + 1; row < size; row++)
            {
                var factor = matrix[row, i] / matrix[i, i];
                right[row] -= factor * right[i];
                for (var k = i; k < size; k++)
                {
                    matrix[row, k] -= factor * matrix[i, k];
                }
            }
        }

        for (var i = size - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < size; k++)
            {
                right[i] -= matrix[i, k] * right[k];
            }

            right[i] /= matrix[i, i];
        }

        return right;
    }

    private static double Loss(List<(float[] Logits, bool IsPositive)> all, double[] weights, double high, double low)
    {
        var loss = 0.0;
        foreach (var (logits, isPositive) in all)
        {
            var logit = Logit(logits, weights);
            var target = isPositive ? high : low;

            // log(1 + e^x) without overflow.
            loss += Math.Max(logit, 0) + Math.Log(1 + Math.Exp(-Math.Abs(logit))) - (target * logit);
        }

        return loss;
    }

    private static double Logit(float[] logits, double[] weights)
    {
        var sum = weights[^1];
        for (var i = 0; i < logits.Length; i++)
        {
            sum += weights[i] * logits[i];
        }

        return sum;
    }
}
