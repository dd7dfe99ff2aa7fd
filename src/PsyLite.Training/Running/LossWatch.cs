namespace PsyLite.Training.Running;

/// <summary>Notices a run that has gone wrong: a loss or gradient that is no number, or a smoothed loss far above its lowest.</summary>
internal sealed class LossWatch(double maxRise)
{
    /// <summary>Share of the newest loss in the smoothed one; about twenty steps count.</summary>
    private const double Newest = 0.1;

    /// <summary>Steps before the smoothed loss means anything.</summary>
    private const int Settled = 20;

    private double _smoothed = double.NaN;
    private double _lowest = double.PositiveInfinity;
    private int _steps;

    /// <returns>What is wrong, or null.</returns>
    public string? Add(double loss, double gradientNorm)
    {
        if (!double.IsFinite(loss) || !double.IsFinite(gradientNorm))
        {
            return FormattableString.Invariant($"the loss is {loss} and the gradient norm {gradientNorm}");
        }

        _smoothed = double.IsNaN(_smoothed) ? loss : _smoothed + (Newest * (loss - _smoothed));
        _lowest = Math.Min(_lowest, _smoothed);
        return ++_steps >= Settled && _smoothed > _lowest + maxRise ? FormattableString.Invariant($"the loss diverged from {_lowest:F3} to {_smoothed:F3} (maxLossRise {maxRise})") : null;
    }
}
