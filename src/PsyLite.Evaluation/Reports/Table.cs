namespace PsyLite.Evaluation.Reports;

/// <summary>A cell; <paramref name="Class"/> colours it: bad, good or soft.</summary>
internal sealed record Cell(Markup Content, string Class = "")
{
    public static implicit operator Cell(string text) => new(Markup.Of($"{text}"));

    public static implicit operator Cell(int number) => new(Markup.Of($"{Words.Count(number)}"));

    public static implicit operator Cell(Markup content) => new(content);

    /// <summary>Zero is good here, anything else is not.</summary>
    public static Cell Faults(int number) => new(Markup.Of($"{Words.Count(number)}"), number == 0 ? "soft" : "bad");
}

/// <summary>Rows under a head; the first column names the row, the others hold numbers and stand to the right.</summary>
internal static class Table
{
    public static Markup Of(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<Cell>> rows, string style = "") => Of([.. head.Select(h => Markup.Of($"{h}"))], rows, style);

    public static Markup Of(IReadOnlyList<Markup> head, IEnumerable<IReadOnlyList<Cell>> rows, string style = "") => Markup.Of($"""
        <div class="scroll" tabindex="0"><table class="{style}"><thead><tr>{head.Select(h => h.Value.Length == 0 ? Markup.Of($"<td></td>") : Markup.Of($"<th>{h}</th>"))}</tr></thead>
        <tbody>{rows.Select(Row)}</tbody></table></div>

        """);

    private static Markup Row(IReadOnlyList<Cell> cells) => Markup.Of($"""
        <tr><th scope="row">{cells[0].Content}</th>{cells.Skip(1).Select(c => Markup.Of($"""<td class="{c.Class}">{c.Content}</td>"""))}</tr>

        """);
}
