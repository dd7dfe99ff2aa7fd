using PsyLite.Evaluation.Metrics;

namespace PsyLite.Evaluation.Reports;

/// <summary>One line of an interval chart: a name and a rate for each series.</summary>
internal sealed record IntervalRow(string Name, IReadOnlyList<Proportion> Rates);

/// <summary>Rates as dots with their 95 % intervals, one line each, series close together; a thin line marks what is wanted.</summary>
internal static class IntervalChart
{
    private const int RowHeight = 36;
    private const int Left = 70;
    private const int Right = 50;
    private const int Bottom = 30;

    public static Markup Draw(string title, IReadOnlyList<IntervalRow> rows, double? wanted = null)
    {
        var lowest = rows.SelectMany(r => r.Rates).Where(r => r.Of > 0).Select(r => r.Low).DefaultIfEmpty(0).Min();
        var axis = new Axis(Math.Floor(Math.Min(lowest, 0.9) * 10) / 10, 1, Left, Svg.Width - Right);
        var height = (rows.Count * RowHeight) + Bottom;
        var floor = height - Bottom;
        return Svg.Drawing(title, height,
        [
            .. axis.Ticks(5).SelectMany(t => (Markup[])[Svg.Line(axis.At(t), 4, axis.At(t), floor, "grid"), Svg.Text(axis.At(t), floor + 18, $"{t * 100:0}%")]),
            wanted is { } goal ? Svg.Line(axis.At(goal), 4, axis.At(goal), floor, "goal") : Markup.None,
            .. rows.SelectMany((row, i) => Row(row, (i + 0.5) * RowHeight, axis)),
        ]);
    }

    private static IEnumerable<Markup> Row(IntervalRow row, double y, Axis axis)
    {
        yield return Svg.Text(Left - 10, y + 4, row.Name, "end", "label");
        for (var i = 0; i < row.Rates.Count; i++)
        {
            var rate = row.Rates[i];
            if (rate.Rate is not { } share)
            {
                continue;
            }

            var at = y + ((i - ((row.Rates.Count - 1) / 2.0)) * 11);
            yield return Svg.Line(axis.At(rate.Low), at, axis.At(rate.High), at, $"whisker stroke-{i}");
            yield return Svg.Dot(axis.At(share), at, i == 0 ? 5 : 4, $"dot fill-{i}", $"{row.Name} {Words.Percent(share)} ({Words.Of(rate)}), 95 % {Words.Interval(rate)}");
        }

        yield return Svg.Text(Svg.Width - 4, y + 4, row.Rates[0].Rate is { } first ? $"{first * 100:0.0}" : "–", "end", "value");
    }
}
