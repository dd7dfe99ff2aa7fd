namespace PsyLite.Evaluation.Reports;

/// <summary>Counts over ordered classes, such as ranges of length, as columns; one or more series beside one another.</summary>
internal static class ColumnChart
{
    private const int Height = 260;
    private const int Left = 56;
    private const int Right = 10;
    private const int Top = 16;
    private const int Bottom = 52;

    /// <summary>Labels that fit below the columns.</summary>
    private const int MostLabels = 6;

    public static Markup Draw(string title, string xName, IReadOnlyList<string> classes, IReadOnlyList<(string Name, IReadOnlyList<int> Counts)> series)
    {
        var most = Math.Max(1, series.SelectMany(s => s.Counts).DefaultIfEmpty(0).Max());
        var vertical = new Axis(0, most, Height - Bottom, Top);
        var width = (Svg.Width - Left - Right) / (double)Math.Max(1, classes.Count);
        var every = (int)Math.Ceiling(classes.Count / (double)MostLabels);
        return Svg.Drawing(title, Height,
        [
            .. vertical.Ticks(4).Where(t => t == Math.Floor(t)).SelectMany(t => (Markup[])
                [Svg.Line(Left, vertical.At(t), Svg.Width - Right, vertical.At(t), "grid"), Svg.Text(Left - 8, vertical.At(t) + 4, Words.Count((int)t), "end")]),
            .. series.SelectMany((s, n) => Columns(s.Name, s.Counts, n, series.Count, classes, width, vertical)),
            Svg.Line(Left, Height - Bottom, Svg.Width - Right, Height - Bottom, "axis"),
            .. classes.Select((name, i) => i % every == 0 ? Svg.Text(Left + ((i + 0.5) * width), Height - Bottom + 18, name) : Markup.None),
            Svg.Text((Left + Svg.Width - Right) / 2.0, Height - 10, xName, style: "label"),
        ]);
    }

    private static IEnumerable<Markup> Columns(string name, IReadOnlyList<int> counts, int number, int all, IReadOnlyList<string> classes, double width, Axis vertical)
    {
        var column = (width - 2) / all;
        for (var i = 0; i < counts.Count; i++)
        {
            if (counts[i] > 0)
            {
                // A single row among thousands is still to be seen.
                var height = Math.Max(1.5, vertical.At(0) - vertical.At(counts[i]));
                yield return Svg.Rectangle(Left + (i * width) + 1 + (number * column), vertical.At(0) - height, Math.Max(1, column - 0.5), height, $"bar fill-{number}", $"{name} {classes[i]}: {Words.Count(counts[i])}");
            }
        }
    }
}
