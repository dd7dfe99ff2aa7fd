namespace PsyLite.Evaluation.Reports;

/// <summary>Values of rows by columns as shaded cells: blue near the good end of a scale, red near the bad one.</summary>
internal static class HeatMap
{
    /// <param name="value">Null where there is nothing to show.</param>
    /// <param name="good">Place of a value between the bad end (0) and the good one (1).</param>
    public static Markup Draw(string corner, IReadOnlyList<Markup> rows, IReadOnlyList<Markup> columns, Func<int, int, double?> value, Func<double, double> good, Func<double, string> text, Func<int, int, string> tip)
    {
        Cell One(int row, int column)
        {
            if (value(row, column) is not { } found)
            {
                return Markup.Of($"""<span class="share none">–</span>""");
            }

            var place = Math.Clamp(good(found), 0, 1);
            var (style, share) = place >= 0.5 ? ("right", (place - 0.5) * 2) : ("wrong", (0.5 - place) * 2);
            return Markup.Of($"""<span class="share {style}" style="--share:{share}" title="{tip(row, column)}">{text(found)}</span>""");
        }

        return Table.Of([Markup.Of($"{corner}"), .. columns], rows.Select((name, row) => (IReadOnlyList<Cell>)[name, .. columns.Select((_, column) => One(row, column))]), "matrix");
    }
}
