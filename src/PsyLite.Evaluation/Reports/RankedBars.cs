namespace PsyLite.Evaluation.Reports;

/// <summary>Named counts as horizontal bars, the largest first.</summary>
internal static class RankedBars
{
    private const int RowHeight = 26;
    private const int Left = 140;
    private const int Right = 124;

    /// <summary>Characters of a name that fit; a Chinese one takes the room of two.</summary>
    private const int NameWidth = 17;

    public static Markup Draw(string title, IReadOnlyList<(string Name, long Count)> rows)
    {
        var most = Math.Max(1, rows.Select(r => r.Count).DefaultIfEmpty(0).Max());
        var all = Math.Max(1, rows.Sum(r => r.Count));
        var axis = new Axis(0, most, 0, Svg.Width - Left - Right);
        return Svg.Drawing(title, Math.Max(1, rows.Count) * RowHeight,
        [
            .. rows.SelectMany((row, i) => (Markup[])
            [
                Svg.Text(Left - 10, (i * RowHeight) + 17, Short(row.Name), "end", "label"),
                Svg.Rectangle(Left, (i * RowHeight) + 5, Math.Max(1.5, axis.At(row.Count)), RowHeight - 10, "bar fill-0", $"{row.Name}: {row.Count}"),
                Svg.Text(Left + Math.Max(1.5, axis.At(row.Count)) + 6, (i * RowHeight) + 17, $"{row.Count.ToString("N0", System.Globalization.CultureInfo.InvariantCulture)} · {Words.Percent((double)row.Count / all)}", "start"),
            ]),
        ]);
    }

    private static string Short(string name)
    {
        var width = 0;
        for (var i = 0; i < name.Length; i++)
        {
            width += name[i] >= '\u2e80' ? 2 : 1;
            if (width > NameWidth)
            {
                return name[..i] + "…";
            }
        }

        return name;
    }
}
