using PsyLite.Evaluation.Metrics;

namespace PsyLite.Evaluation.Reports;

/// <summary>One line of a bar chart: a name and an estimate for each series, null where there is none.</summary>
internal sealed record BarRow(string Name, IReadOnlyList<Estimate?> Values);

/// <summary>Horizontal bars from zero with their 95 % intervals and values, the series of a row close together.</summary>
internal static class BarChart
{
    /// <summary>Of a bar with its value beside it, which is what needs the room.</summary>
    private const int Pitch = Svg.LineHeight;
    private const int Thickness = 11;
    private const int RowGap = 14;
    private const int Left = 110;
    private const int Bottom = 28;

    /// <summary>Drawing units of a digit in a phone's letters.</summary>
    private const double DigitWidth = 8.6;

    /// <param name="most">Top of the scale.</param>
    /// <param name="isShare">Values are shares and shown in per cent.</param>
    public static Markup Draw(string title, IReadOnlyList<BarRow> rows, double most, bool isShare = false)
    {
        var longest = rows.SelectMany(r => r.Values).OfType<Estimate>().Select(e => Words.Value(e.Value, isShare).Length).DefaultIfEmpty(4).Max();
        var axis = new Axis(0, most, Left, Svg.Width - Math.Max(30, (longest * DigitWidth) + 10));
        var rowHeight = (rows.Max(r => r.Values.Count) * Pitch) + RowGap;
        var floor = rows.Count * rowHeight;
        return Svg.Drawing(title, floor + Bottom,
        [
            .. axis.Ticks(5).SelectMany(t => (Markup[])[Svg.Line(axis.At(t), 0, axis.At(t), floor, "grid"), Svg.Text(axis.At(t), floor + 19, Words.Value(t, isShare, tick: true))]),
            .. rows.SelectMany((row, i) => Row(row, (i * rowHeight) + (RowGap / 2.0), axis, isShare)),
        ]);
    }

    private static IEnumerable<Markup> Row(BarRow row, double y, Axis axis, bool isShare)
    {
        // Beside several bars there is room for the Chinese name above the English one.
        string[] lines = row.Values.Count > 1 ? row.Name.Split(' ', 2) : [row.Name];
        foreach (var line in Svg.Lines(Left - 10, y + (row.Values.Count * Pitch / 2.0), lines, "end"))
        {
            yield return line;
        }

        for (var i = 0; i < row.Values.Count; i++)
        {
            if (row.Values[i] is not { Units: > 0 } value)
            {
                continue;
            }

            var middle = y + ((i + 0.5) * Pitch);
            yield return Svg.Rectangle(axis.At(0), middle - (Thickness / 2.0), Math.Max(1, axis.At(value.Value) - axis.At(0)), Thickness, $"bar fill-{i}", $"{row.Name} {Words.Value(value, isShare)}");
            yield return Svg.Line(axis.At(value.Low), middle, axis.At(value.High), middle, "interval");
            yield return Svg.Text(Svg.Width - 2, middle + 4.5, Words.Value(value.Value, isShare), "end", row.Values.Count > 1 ? "tick" : "value");
        }
    }
}
