namespace PsyLite.Training.Optim;

/// <summary>Learning rate that rises linearly over the warm-up steps and then falls along half a cosine to the floor at the last step.</summary>
public sealed record CosineSchedule(double Peak, int WarmupSteps, int TotalSteps, double Floor = 0)
{
    /// <summary>Rate of update number step, counted from 0.</summary>
    public double At(int step)
    {
        if (step < WarmupSteps)
        {
            return Peak * (step + 1) / WarmupSteps;
        }

        var progress = (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps);
        return Floor + ((Peak - Floor) * 0.5 * (1.0 + Math.Cos(Math.PI * Math.Min(1.0, progress))));
    }
}
