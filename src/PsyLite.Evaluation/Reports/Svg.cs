namespace PsyLite.Evaluation.Reports;

/// <summary>What plots are drawn with. Colours come from the page's style, so one drawing serves light, dark and paper.</summary>
internal static class Svg
{
    /// <summary>Drawing units; a phone shows them at about three quarters.</summary>
    public const int Width = 480;

    /// <summary>Room that a line of a phone's larger letters takes.</summary>
    public const int LineHeight = 17;

    public static Markup Drawing(string title, double height, params IEnumerable<Markup> parts) => Markup.Of($"""
        <svg viewBox="0 0 {Width} {height}" role="img" aria-label="{title}"><title>{title}</title>
        {parts}
        </svg>

        """);

    public static Markup Line(double x1, double y1, double x2, double y2, string style) =>
        Markup.Of($"""<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{style}"/>""");

    public static Markup Rectangle(double x, double y, double width, double height, string style, string tip) =>
        Markup.Of($"""<rect x="{x}" y="{y}" width="{width}" height="{height}" class="{style}"><title>{tip}</title></rect>""");

    public static Markup Dot(double x, double y, double radius, string style, string tip) =>
        Markup.Of($"""<circle cx="{x}" cy="{y}" r="{radius}" class="{style}"><title>{tip}</title></circle>""");

    /// <param name="anchor">start, middle or end.</param>
    public static Markup Text(double x, double y, string text, string anchor = "middle", string style = "tick") =>
        Markup.Of($"""<text x="{x}" y="{y}" text-anchor="{anchor}" class="{style}">{text}</text>""");

    /// <summary>Lines of text, the middle of them all at <paramref name="y"/>; the first in the style of a name, the others smaller.</summary>
    public static IEnumerable<Markup> Lines(double x, double y, IReadOnlyList<string> lines, string anchor) =>
        lines.Select((line, i) => Text(x, y + 4 + ((i - ((lines.Count - 1) / 2.0)) * LineHeight), line, anchor, i == 0 ? "label" : "tick"));

    public static Markup Path(IEnumerable<(double X, double Y)> points, string style) =>
        Markup.Of($"""<polyline points="{new Markup(string.Join(' ', points.Select(p => Markup.Of($"{p.X},{p.Y}"))))}" class="{style}"/>""");
}
