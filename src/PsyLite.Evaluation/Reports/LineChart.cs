namespace PsyLite.Evaluation.Reports;

/// <summary>Points joined by a line; with <paramref name="HasDots"/> each point is shown and says its <c>Tip</c>.</summary>
internal sealed record LineSeries(IReadOnlyList<(double X, double Y, string Tip)> Points, bool HasDots = false);

/// <summary>One or more lines over two axes of shares (0..1), with a reference line, single marked points and a row of words on top.</summary>
internal sealed record LineChart(string Title, string XName, string YName, Axis Horizontal, Axis Vertical)
{
    private const int Height = 390;
    private const int Left = 52;
    private const int Top = 48;
    private const int Bottom = 54;
    private const int Right = 22;

    public IReadOnlyList<LineSeries> Series { get; init; } = [];

    /// <summary>Points that stand for themselves, larger than others.</summary>
    public IReadOnlyList<(double X, double Y, string Tip)> Marks { get; init; } = [];

    public bool HasDiagonal { get; init; }

    /// <summary>Small words above the plot at these places of the horizontal axis.</summary>
    public IReadOnlyList<(double X, string Text)> Header { get; init; } = [];

    public static LineChart Of(string title, string xName, string yName, (double From, double To) x, (double From, double To) y) =>
        new(title, xName, yName, new Axis(x.From, x.To, Left, Svg.Width - Right), new Axis(y.From, y.To, Height - Bottom, Top));

    public Markup Draw()
    {
        var (x, y) = (Horizontal, Vertical);
        return Svg.Drawing(Title, Height,
        [
            .. x.Ticks(5).SelectMany(t => (Markup[])[Svg.Line(x.At(t), Top, x.At(t), Height - Bottom, "grid"), Svg.Text(x.At(t), Height - Bottom + 22, $"{t * 100:0}%")]),
            .. y.Ticks(5).SelectMany(t => (Markup[])[Svg.Line(Left, y.At(t), Svg.Width - Right, y.At(t), "grid"), Svg.Text(Left - 8, y.At(t) + 4, $"{t * 100:0}%", "end")]),
            Svg.Text((Left + Svg.Width - Right) / 2.0, Height - 8, XName, style: "label"),
            Svg.Text(4, 17, YName, "start", "label"),
            HasDiagonal ? Svg.Line(x.At(x.From), y.At(y.From), x.At(x.To), y.At(y.To), "reference") : Markup.None,
            .. Header.Select(h => Svg.Text(x.At(h.X), Top - 8, h.Text, style: "small")),
            .. Series.SelectMany(Draw),
            .. Marks.Select((m, i) => Svg.Dot(x.At(m.X), y.At(m.Y), 6, $"mark fill-{i}", m.Tip)),
        ]);
    }

    private IEnumerable<Markup> Draw(LineSeries series, int number)
    {
        yield return Svg.Path(series.Points.Select(p => (Horizontal.At(p.X), Vertical.At(p.Y))), $"curve stroke-{number}");
        foreach (var (x, y, tip) in series.HasDots ? series.Points : [])
        {
            yield return Svg.Dot(Horizontal.At(x), Vertical.At(y), 5, $"dot fill-{number}", tip);
        }
    }
}
