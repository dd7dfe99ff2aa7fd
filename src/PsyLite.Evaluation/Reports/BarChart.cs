using PsyLite.Evaluation.Metrics;

namespace PsyLite.Evaluation.Reports;

/// <summary>One line of a bar chart: a name and an estimate for each series, null where there is none.</summary>
internal sealed record BarRow(string Name, IReadOnlyList<Estimate?> Values);

/// <summary>Horizontal bars from zero with their 95 % intervals, the series of a row close together.</summary>
internal static class BarChart
{
    private const int BarHeight = 13;
    private const int RowGap = 12;
    private const int Left = 118;
    private const int Right = 52;
    private const int Bottom = 26;

    /// <param name="most">Top of the scale.</param>
    /// <param name="isShare">Values are shares and shown in per cent.</param>
    public static Markup Draw(string title, IReadOnlyList<BarRow> rows, double most, bool isShare = false)
    {
        var axis = new Axis(0, most, Left, Svg.Width - Right);
        var series = rows.Max(r => r.Values.Count);
        var rowHeight = (series * BarHeight) + RowGap;
        var floor = rows.Count * rowHeight;
        return Svg.Drawing(title, floor + Bottom,
        [
            .. axis.Ticks(5).SelectMany(t => (Markup[])[Svg.Line(axis.At(t), 0, axis.At(t), floor, "grid"), Svg.Text(axis.At(t), floor + 18, Words.Value(t, isShare, tick: true))]),
            .. rows.SelectMany((row, i) => Row(row, (i * rowHeight) + (RowGap / 2.0), axis, isShare)),
        ]);
    }

    private static IEnumerable<Markup> Row(BarRow row, double y, Axis axis, bool isShare)
    {
        yield return Svg.Text(Left - 10, y + (row.Values.Count * BarHeight / 2.0) + 4, row.Name, "end", "label");
        for (var i = 0; i < row.Values.Count; i++)
        {
            if (row.Values[i] is not { Units: > 0 } value)
            {
                continue;
            }

            var middle = y + ((i + 0.5) * BarHeight);
            yield return Svg.Rectangle(axis.At(0), middle - 5, Math.Max(1, axis.At(value.Value) - axis.At(0)), 10, $"bar fill-{i}", $"{row.Name} {Words.Value(value, isShare)}");
            yield return Svg.Line(axis.At(value.Low), middle, axis.At(value.High), middle, "interval");
            yield return Svg.Text(Svg.Width - 4, middle + 4, Words.Value(value.Value, isShare), "end", row.Values.Count > 1 ? "tick" : "value");
        }
    }
}
