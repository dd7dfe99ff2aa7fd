namespace PsyLite.Training.Sparse;

/// <summary>What one output of a bag asks of the instance that decides it.</summary>
/// <param name="Window">Number of the window; -1 for the whole.</param>
/// <param name="Slope">dLoss/dLogit, the bag's weight included.</param>
internal readonly record struct BagTerm(int Window, int Output, float Slope, double Loss);

/// <summary>Cross entropy of a bag by multiple-instance learning; see <see cref="SparseBag"/>.</summary>
internal static class BagLoss
{
    /// <summary>The terms of all labelled outputs for the logits of each window and of the whole.</summary>
    public static List<BagTerm> Terms(SparseBag bag, IReadOnlyList<float[]> windows, float[] whole, bool[] ofWhole)
    {
        var terms = new List<BagTerm>(ofWhole.Length);
        for (var output = 0; output < ofWhole.Length; output++)
        {
            var label = bag.Labels[output];
            if (float.IsNaN(label))
            {
                continue;
            }

            var window = ofWhole[output] ? -1 : Largest(windows, output, label > 0.5f ? bag.Marked : null);
            var logit = window < 0 ? whole[output] : windows[window][output];
            var probability = 1 / (1 + Math.Exp(-logit));
            var loss = -Math.Log(Math.Max(1e-12, label > 0.5f ? probability : 1 - probability));
            terms.Add(new BagTerm(window, output, (float)(bag.Weight * (probability - label)), bag.Weight * loss));
        }

        return terms;
    }

    /// <summary>The largest logit of each output over the windows, or the whole's where that decides.</summary>
    public static float[] Decide(IEnumerable<float[]> windows, float[] whole, bool[] ofWhole)
    {
        var logits = new float[ofWhole.Length];
        Array.Fill(logits, float.NegativeInfinity);
        foreach (var window in windows)
        {
            for (var output = 0; output < logits.Length; output++)
            {
                logits[output] = Math.Max(logits[output], window[output]);
            }
        }

        for (var output = 0; output < logits.Length; output++)
        {
            logits[output] = ofWhole[output] ? whole[output] : logits[output];
        }

        return logits;
    }

    private static int Largest(IReadOnlyList<float[]> logits, int output, IReadOnlyList<bool>? among)
    {
        var best = -1;
        for (var i = 0; i < logits.Count; i++)
        {
            if ((among is null || among[i]) && (best < 0 || logits[i][output] > logits[best][output]))
            {
                best = i;
            }
        }

        return Math.Max(0, best);
    }
}
