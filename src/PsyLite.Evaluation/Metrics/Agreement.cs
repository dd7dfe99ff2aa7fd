namespace PsyLite.Evaluation.Metrics;

/// <summary>How far apart two ratings are.</summary>
public enum RatingScale
{
    /// <summary>The same or not.</summary>
    Nominal,

    /// <summary>Squared distance of the numbers.</summary>
    Interval,

    /// <summary>Squared number of ratings that lie between.</summary>
    Ordinal,
}

/// <summary>Whether raters agree beyond chance. 1 is full agreement, 0 what chance gives; null where there is nothing to tell apart.</summary>
public static class Agreement
{
    /// <summary>
    /// Kappa of two raters: unweighted (Cohen, "A coefficient of agreement for nominal scales", 1960) or with quadratic weights (Cohen,
    /// "Weighted kappa", 1968) for <see cref="RatingScale.Interval"/>.
    /// </summary>
    public static double? Kappa(IReadOnlyList<(double First, double Second)> pairs, RatingScale scale = RatingScale.Nominal)
    {
        double Distance(double a, double b) => scale == RatingScale.Nominal ? (a == b ? 0 : 1) : (a - b) * (a - b);
        if (pairs.Count == 0)
        {
            return null;
        }

        var observed = pairs.Average(p => Distance(p.First, p.Second));
        var first = pairs.GroupBy(p => p.First).Select(g => (g.Key, Share: (double)g.Count() / pairs.Count)).ToList();
        var second = pairs.GroupBy(p => p.Second).Select(g => (g.Key, Share: (double)g.Count() / pairs.Count)).ToList();
        var expected = first.Sum(a => second.Sum(b => a.Share * b.Share * Distance(a.Key, b.Key)));
        return expected == 0 ? null : 1 - (observed / expected);
    }

    /// <summary>
    /// Alpha of any number of raters, each of whom may have left units out (Krippendorff, "Content analysis", 2004, chapter 11).
    /// </summary>
    /// <param name="units">The ratings that each unit was given; units with fewer than two tell nothing.</param>
    public static double? Alpha(IReadOnlyList<IReadOnlyList<double>> units, RatingScale scale = RatingScale.Interval)
    {
        var rated = units.Where(u => u.Count > 1).ToList();
        var counts = rated.SelectMany(u => u).GroupBy(v => v).OrderBy(g => g.Key).Select(g => (Value: g.Key, Count: g.Count())).ToList();
        var all = counts.Sum(c => c.Count);
        if (counts.Count < 2)
        {
            return null;
        }

        var place = counts.Select((c, i) => (c.Value, i)).ToDictionary(c => c.Value, c => c.i);
        double Distance(int a, int b) => scale switch
        {
            RatingScale.Nominal => a == b ? 0 : 1,
            RatingScale.Interval => Math.Pow(counts[a].Value - counts[b].Value, 2),
            _ => a == b ? 0 : Math.Pow(counts.Skip(Math.Min(a, b)).Take(Math.Abs(a - b) + 1).Sum(c => c.Count) - ((counts[a].Count + counts[b].Count) / 2.0), 2),
        };
        var observed = rated.Sum(u => u.Sum(a => u.Sum(b => Distance(place[a], place[b]))) / (u.Count - 1)) / all;
        var expected = Enumerable.Range(0, counts.Count).Sum(a => Enumerable.Range(0, counts.Count).Sum(b => counts[a].Count * (double)counts[b].Count * Distance(a, b)))
            / (all * (all - 1.0));
        return 1 - (observed / expected);
    }
}
