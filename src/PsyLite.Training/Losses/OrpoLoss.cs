namespace PsyLite.Training.Losses;

/// <summary>Which negative log-likelihood the odds-ratio term is added to.</summary>
public enum OrpoNll
{
    /// <summary>XTuner: the chosen replies without their prompts, one mean over all their tokens.</summary>
    Xtuner,

    /// <summary>TRL: prompts and chosen replies, one mean over all their tokens.</summary>
    Trl,

    /// <summary>The paper (arXiv 2403.07691, equation 6): the chosen replies, a mean over the tokens of each, then over the pairs.</summary>
    Paper,
}

/// <param name="Beta">Weight of the odds-ratio term (lambda in the paper).</param>
public sealed record OrpoOptions(float Beta = 0.1f, OrpoNll Nll = OrpoNll.Xtuner)
{
    internal OrpoOptions Validated() => Beta > 0 ? this : throw new ArgumentException("orpo.beta must be positive.");
}

/// <summary>What the means of a step divide by.</summary>
/// <param name="NllTokens">Tokens in the negative log-likelihood.</param>
public readonly record struct OrpoCounts(double NllTokens, double Pairs)
{
    public static OrpoCounts operator +(OrpoCounts a, OrpoCounts b) => new(a.NllTokens + b.NllTokens, a.Pairs + b.Pairs);

    public static OrpoCounts operator *(OrpoCounts counts, double factor) => new(counts.NllTokens * factor, counts.Pairs * factor);
}

/// <summary>Sums over the pairs of one or more packs; <see cref="Loss"/> is already divided.</summary>
public readonly record struct OrpoSum(double Loss, double Nll, double NllTokens, double Ratio, double LogOdds, double Chosen, double Rejected, int Correct, int Pairs)
{
    public static OrpoSum operator +(OrpoSum a, OrpoSum b) => new(
        a.Loss + b.Loss, a.Nll + b.Nll, a.NllTokens + b.NllTokens, a.Ratio + b.Ratio, a.LogOdds + b.LogOdds, a.Chosen + b.Chosen, a.Rejected + b.Rejected, a.Correct + b.Correct, a.Pairs + b.Pairs);
}

/// <summary>
/// Odds-ratio preference optimisation (arXiv 2403.07691) as XTuner computes it. With l = mean log-probability of a reply's tokens:
/// log_odds = (l_w - l_l) - (log(1 - e^l_w) - log(1 - e^l_l)); L = NLL_w - beta * mean over pairs of logsigmoid(log_odds). No reference model.
/// </summary>
public sealed class OrpoLoss(OrpoOptions options)
{
    private const double Ln2 = 0.6931471805599453;

    /// <summary>What one pack adds to the divisors.</summary>
    public OrpoCounts Count(PreferenceBatch batch) => new(
        options.Nll == OrpoNll.Paper ? batch.Pairs : Enumerable.Range(0, batch.Pairs).Sum(pair => batch.Segment(2 * pair).End - NllStart(batch, pair)), batch.Pairs);

    /// <summary>The share of one pack in the loss of a step.</summary>
    /// <param name="logProbabilities">log p(label t) of every labelled position.</param>
    /// <param name="counts">Divisors of the whole step.</param>
    /// <param name="weights">Receives -d loss / d log p(label t), 0 where there is no label.</param>
    public OrpoSum Score(PreferenceBatch batch, ReadOnlySpan<float> logProbabilities, OrpoCounts counts, Span<float> weights)
    {
        weights[..batch.Row.Length].Clear();
        var sum = default(OrpoSum);
        for (var pair = 0; pair < batch.Pairs; pair++)
        {
            sum += ScorePair(batch, pair, logProbabilities, counts, weights);
        }

        return sum;
    }

    /// <summary>log(1 - e^x) for x &lt; 0 without cancellation (Mächler 2012, "Accurately computing log(1 - exp(-|a|))").</summary>
    internal static double Log1MExp(double x) => x > -Ln2 ? Math.Log(-ExpM1(x)) : Log1P(-Math.Exp(x));

    private OrpoSum ScorePair(PreferenceBatch batch, int pair, ReadOnlySpan<float> logProbabilities, OrpoCounts counts, Span<float> weights)
    {
        var (chosen, rejected) = (batch.Segment(2 * pair), batch.Segment((2 * pair) + 1));
        var (w, l) = (Mean(logProbabilities, chosen), Mean(logProbabilities, rejected));
        var logOdds = w - l - (Log1MExp(w) - Log1MExp(l));
        var ratio = -SoftPlus(-logOdds);

        // A reply of probability 1 has infinite odds: its ratio is no number, and the pair counts in the likelihood alone.
        var counted = double.IsFinite(logOdds) && double.IsFinite(ratio);
        if (counted)
        {
            // d -beta logsigmoid(o) / do = -beta (1 - sigmoid(o)); do / dl_w = 1 / (1 - e^l_w), do / dl_l = -1 / (1 - e^l_l).
            var pull = options.Beta / counts.Pairs / (1.0 + Math.Exp(logOdds));
            Add(weights, chosen, pull / -ExpM1(w) / (chosen.End - chosen.Start));
            Add(weights, rejected, pull / ExpM1(l) / (rejected.End - rejected.Start));
        }

        var likelihood = (Start: NllStart(batch, pair), chosen.End);
        var perToken = options.Nll == OrpoNll.Paper ? 1.0 / (chosen.End - chosen.Start) : 1.0;
        Add(weights, likelihood, perToken / counts.NllTokens);
        var nll = -Mean(logProbabilities, likelihood) * (likelihood.End - likelihood.Start) * perToken;
        var tokens = (likelihood.End - likelihood.Start) * perToken;
        var loss = (nll / counts.NllTokens) - (counted ? options.Beta * ratio / counts.Pairs : 0);
        return new OrpoSum(loss, nll, tokens, counted ? ratio : 0, counted ? logOdds : 0, w, l, w > l ? 1 : 0, 1);
    }

    private int NllStart(PreferenceBatch batch, int pair) => options.Nll == OrpoNll.Trl ? batch.Row.SegmentStarts[2 * pair] : batch.Segment(2 * pair).Start;

    private static double Mean(ReadOnlySpan<float> values, (int Start, int End) range)
    {
        var sum = 0.0;
        foreach (var value in values[range.Start..range.End])
        {
            sum += value;
        }

        return sum / (range.End - range.Start);
    }

    private static void Add(Span<float> weights, (int Start, int End) range, double value)
    {
        foreach (ref var weight in weights[range.Start..range.End])
        {
            weight += (float)value;
        }
    }

    /// <summary>e^x - 1 from tanh, exact near 0.</summary>
    private static double ExpM1(double x)
    {
        var t = Math.Tanh(x / 2);
        return 2 * t / (1 - t);
    }

    /// <summary>log(1 + x), exact near 0 (Kahan's correction of the rounding of 1 + x).</summary>
    private static double Log1P(double x)
    {
        var y = 1.0 + x;
        return y == 1.0 ? x : Math.Log(y) * (x / (y - 1.0));
    }

    private static double SoftPlus(double x) => Math.Max(x, 0) + Log1P(Math.Exp(-Math.Abs(x)));
}
