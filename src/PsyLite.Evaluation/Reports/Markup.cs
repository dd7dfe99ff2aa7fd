using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace PsyLite.Evaluation.Reports;

/// <summary>A piece of HTML or SVG. Made from interpolated text, whose holes are escaped unless they hold markup themselves.</summary>
internal sealed record Markup(string Value)
{
    public static Markup None { get; } = new("");

    public static Markup Of(MarkupHandler text) => new(text.ToString());

    public static Markup Join(IEnumerable<Markup> parts) => new(string.Concat(parts.Select(p => p.Value)));

    public override string ToString() => Value;
}

[InterpolatedStringHandler]
internal readonly struct MarkupHandler(int literalLength, int holes)
{
    private readonly StringBuilder _text = new(literalLength + (holes * 8));

    public void AppendLiteral(string text) => _text.Append(text);

    public void AppendFormatted(Markup markup) => _text.Append(markup.Value);

    public void AppendFormatted(IEnumerable<Markup> parts)
    {
        foreach (var part in parts)
        {
            _text.Append(part.Value);
        }
    }

    public void AppendFormatted(string? text) => _text.Append(WebUtility.HtmlEncode(text));

    public void AppendFormatted(int number) => _text.Append(number);

    /// <summary>Two decimals are finer than a screen.</summary>
    public void AppendFormatted(double number) => _text.Append(Math.Round(number, 2).ToString(CultureInfo.InvariantCulture));

    public override string ToString() => _text.ToString();
}
