namespace PsyLite.Training.Losses;

internal static class Sampling
{
    /// <summary>Draws an index with probability softmax(logits / temperature); the largest logit at temperature 0.</summary>
    public static int Choose(ReadOnlySpan<float> logits, double temperature, Random random)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        if (temperature <= 0)
        {
            return best;
        }

        var total = 0.0;
        foreach (var logit in logits)
        {
            total += Math.Exp((logit - logits[best]) / temperature);
        }

        var left = random.NextDouble() * total;
        for (var i = 0; i < logits.Length; i++)
        {
            left -= Math.Exp((logits[i] - logits[best]) / temperature);
            if (left < 0)
            {
                return i;
            }
        }

        return best;
    }
}
