namespace PsyLite.Evaluation.Reports;

/// <summary>Shares of the highest possible value (0..1) on axes around a centre, a closed line for each series.</summary>
internal static class RadarChart
{
    /// <summary>With fewer there is no shape to see.</summary>
    public const int FewestAxes = 3;

    private const int Height = 330;
    private const double Radius = 128;
    private static readonly (double X, double Y) Centre = (Svg.Width / 2.0, (Height / 2.0) + 4);

    public static Markup Draw(string title, IReadOnlyList<string> axes, IReadOnlyList<(string Name, IReadOnlyList<double> Shares)> series)
    {
        (double X, double Y) At(int axis, double share)
        {
            var angle = (2 * Math.PI * axis / axes.Count) - (Math.PI / 2);
            return (Centre.X + (Radius * share * Math.Cos(angle)), Centre.Y + (Radius * share * Math.Sin(angle)));
        }

        IEnumerable<(double X, double Y)> Ring(Func<int, double> share) => Enumerable.Range(0, axes.Count + 1).Select(i => At(i % axes.Count, share(i % axes.Count)));
        return Svg.Drawing(title, Height,
        [
            .. new[] { 0.25, 0.5, 0.75, 1 }.Select(level => Svg.Path(Ring(_ => level), "ring")),
            .. axes.Select((_, i) => Svg.Line(Centre.X, Centre.Y, At(i, 1).X, At(i, 1).Y, "grid")),
            .. axes.SelectMany((name, i) => Label(name, At(i, 1.1))),
            .. series.SelectMany((s, number) => (Markup[])
            [
                Svg.Path(Ring(i => s.Shares[i]), $"curve stroke-{number}"),
                .. axes.Select((name, i) => Svg.Dot(At(i, s.Shares[i]).X, At(i, s.Shares[i]).Y, 3.5, $"dot fill-{number}", $"{name} · {s.Name}: {Words.Percent(s.Shares[i])}")),
            ]),
        ]);
    }

    /// <summary>Names lie outside the outer ring, on the side where they do not cross it.</summary>
    private static IEnumerable<Markup> Label(string name, (double X, double Y) at)
    {
        var isMiddle = Math.Abs(at.X - Centre.X) < 8;
        return Svg.Lines(at.X, at.Y, isMiddle ? [name] : name.Replace("&", " &", StringComparison.Ordinal).Split(' ', 2), isMiddle ? "middle" : at.X < Centre.X ? "end" : "start");
    }
}
