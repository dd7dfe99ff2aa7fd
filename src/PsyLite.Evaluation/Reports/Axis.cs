namespace PsyLite.Evaluation.Reports;

/// <summary>Maps values from <paramref name="From"/>..<paramref name="To"/> to pixels from <paramref name="Start"/> to <paramref name="End"/>.</summary>
internal sealed record Axis(double From, double To, double Start, double End)
{
    public double At(double value) => Start + ((Math.Clamp(value, Math.Min(From, To), Math.Max(From, To)) - From) / (To - From) * (End - Start));

    /// <summary>Round values, at most <paramref name="most"/> steps of 1, 2 or 5 times a power of ten.</summary>
    public IEnumerable<double> Ticks(int most = 6)
    {
        var rough = (To - From) / most;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = new[] { 1, 2, 5, 10 }.Select(m => m * power).First(s => s >= rough - 1e-12);
        for (var tick = Math.Ceiling((From / step) - 1e-9) * step; tick <= To + (step * 1e-6); tick += step)
        {
            // Adding zero turns a negative zero into a plain one.
            yield return Math.Round(tick, 10) + 0.0;
        }
    }
}
