namespace PsyLite.Training.Optim;

/// <summary>Learning rate that rises linearly over the warm-up steps and then falls along half a cosine to the floor at the last step.</summary>
/// <param name="StartFactor">Share of the peak at the first step (XTuner: 1e-5), reaching the peak at the last of the warm-up; null begins at peak / warm-up.</param>
public sealed record CosineSchedule(double Peak, int WarmupSteps, int TotalSteps, double Floor = 0, double? StartFactor = null)
{
    /// <summary>The schedule of a recipe over its updates.</summary>
    internal static CosineSchedule For(RecipeOptions options, int steps) =>
        new(options.LearningRate, (int)(options.WarmupRatio * steps), steps, options.FinalRate * options.LearningRate, options.WarmupStart);

    /// <summary>Rate of update number step, counted from 0.</summary>
    public double At(int step)
    {
        if (step < WarmupSteps)
        {
            return StartFactor is { } start
                ? Peak * (start + ((1 - start) * (WarmupSteps == 1 ? 1.0 : (double)step / (WarmupSteps - 1))))
                : Peak * (step + 1) / WarmupSteps;
        }

        var progress = (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps);
        return Floor + ((Peak - Floor) * 0.5 * (1.0 + Math.Cos(Math.PI * Math.Min(1.0, progress))));
    }
}
