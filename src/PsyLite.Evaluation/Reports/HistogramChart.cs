namespace PsyLite.Evaluation.Reports;

/// <summary>
/// Counts over equal parts of 0..1, one band for each class with the same axis below. Heights are logarithmic, for a few messages among
/// thousands are what one looks for.
/// </summary>
internal static class HistogramChart
{
    private const int BandHeight = 104;
    private const int Left = 52;
    private const int Right = 22;
    private const int Bottom = 54;
    private const int Gap = 36;

    public static Markup Draw(string title, string xName, IReadOnlyList<(string Name, IReadOnlyList<int> Counts)> bands)
    {
        var axis = new Axis(0, 1, Left, Svg.Width - Right);
        var top = Math.Max(1, Math.Ceiling(Math.Log10(1 + bands.SelectMany(b => b.Counts).DefaultIfEmpty(0).Max())));
        var height = (bands.Count * (BandHeight + Gap)) + Bottom;
        return Svg.Drawing(title, height,
        [
            .. bands.SelectMany((band, i) => Band(band.Name, band.Counts, i, (i * (BandHeight + Gap)) + Gap, axis, top)),
            .. axis.Ticks(5).Select(t => Svg.Text(axis.At(t), height - Bottom + 20, $"{t * 100:0}%")),
            Svg.Text((Left + Svg.Width - Right) / 2.0, height - 8, xName, style: "label"),
        ]);
    }

    private static IEnumerable<Markup> Band(string name, IReadOnlyList<int> counts, int number, double y, Axis axis, double top)
    {
        var vertical = new Axis(0, top, y + BandHeight, y);
        yield return Svg.Text(4, y - 8, $"{name} · n = {Words.Count(counts.Sum())}", "start", "label");
        for (var power = 0; power < top; power++)
        {
            var at = vertical.At(Math.Log10(1 + Math.Pow(10, power)));
            yield return Svg.Line(Left, at, Svg.Width - Right, at, "grid");
            yield return Svg.Text(Left - 8, at + 4, Words.Count((int)Math.Pow(10, power)), "end");
        }

        yield return Svg.Line(Left, y + BandHeight, Svg.Width - Right, y + BandHeight, "axis");
        var width = (axis.End - axis.Start) / counts.Count;
        for (var bin = 0; bin < counts.Count; bin++)
        {
            if (counts[bin] == 0)
            {
                continue;
            }

            var at = vertical.At(Math.Log10(1 + counts[bin]));
            var (from, to) = ((double)bin / counts.Count, (bin + 1.0) / counts.Count);
            yield return Svg.Rectangle(axis.At(from) + 1, at, width - 2, y + BandHeight - at, $"bar fill-{number}", $"{name}, {from * 100:0}–{to * 100:0} %: {counts[bin]}");
        }
    }
}
