using System.Globalization;
using System.Net;
using System.Text;

namespace PsyLite.Training.Running;

/// <summary>The run as a page with plots, written anew as it goes on; a browser that has it open loads it again every ten seconds.</summary>
internal sealed class PlotPage(string path, string title, int steps)
{
    private const int Width = 720;
    private const int Height = 220;
    private const int MostPoints = 600;

    /// <summary>Share of values at either end that do not set the scale: first losses would flatten the rest.</summary>
    private const double Outliers = 0.01;

    private static readonly string[] Colours = ["#2a6f97", "#c8553d"];

    private readonly SortedDictionary<string, List<(int Step, double Value)>> _series = new(StringComparer.Ordinal);
    private string _replies = "";

    public void Add(string name, int step, double value)
    {
        if (!_series.TryGetValue(name, out var points))
        {
            _series.Add(name, points = []);
        }

        points.Add((step, value));
    }

    /// <summary>The newest sample replies, shown under the plots.</summary>
    public void Show(IEnumerable<(string Prompt, string Reply)> replies) =>
        _replies = string.Concat(replies.Select(r => $"<dt>{WebUtility.HtmlEncode(r.Prompt)}</dt><dd>{WebUtility.HtmlEncode(r.Reply)}</dd>"));

    /// <param name="line">Where the run stands, in a few words.</param>
    public void Write(string line, bool finished)
    {
        var html = new StringBuilder($"""
            <!doctype html><html lang="zh"><meta charset="utf-8"><title>{WebUtility.HtmlEncode(title)}</title>{(finished ? "" : "<meta http-equiv=\"refresh\" content=\"10\">")}
            <style>body{"{"}font:14px/1.5 system-ui,sans-serif;max-width:{Width + 40}px;margin:2em auto;padding:0 1em;color:#222{"}"}svg{"{"}width:100%;height:auto{"}"}text{"{"}font-size:11px;fill:#555{"}"}dt{"{"}font-weight:600{"}"}dd{"{"}margin:0 0 1em;white-space:pre-wrap{"}"}</style>
            <h1>{WebUtility.HtmlEncode(title)}</h1><p>{WebUtility.HtmlEncode(line)}</p>
            """);

        // A validation curve lies in the plot of its training curve.
        foreach (var name in _series.Keys.Where(n => !n.StartsWith("val_", StringComparison.Ordinal)))
        {
            var curves = new[] { name, "val_" + name }.Where(_series.ContainsKey).Select(n => (Name: n, Points: Thin(_series[n]))).ToList();
            html.Append(CultureInfo.InvariantCulture, $"<h2>{name}</h2>{Plot(curves)}");
        }

        html.Append(_replies.Length > 0 ? $"<h2>回复样例 · sample replies</h2><dl>{_replies}</dl>" : "");
        File.WriteAllText(path + ".part", html.ToString());
        File.Move(path + ".part", path, overwrite: true);
    }

    private static List<(int Step, double Value)> Thin(List<(int Step, double Value)> points)
    {
        // Each drawn point is the mean of its neighbours, so that a curve keeps its shape.
        var size = ((points.Count - 1) / MostPoints) + 1;
        return [.. points.Chunk(size).Select(c => (c[^1].Step, c.Average(p => p.Value)))];
    }

    private string Plot(List<(string Name, List<(int Step, double Value)> Points)> curves)
    {
        var values = curves.SelectMany(c => c.Points).Select(p => p.Value).Order().ToList();
        var (low, high) = (values[(int)(Outliers * (values.Count - 1))], values[(int)((1 - Outliers) * (values.Count - 1))]);
        (low, high) = high > low ? (low, high) : (low - 0.5, high + 0.5);
        string X(int step) => (40 + ((Width - 50.0) * step / Math.Max(1, steps))).ToString("F1", CultureInfo.InvariantCulture);
        string Y(double value) => (10 + ((Height - 30.0) * (1 - Math.Clamp((value - low) / (high - low), 0, 1)))).ToString("F1", CultureInfo.InvariantCulture);
        var svg = new StringBuilder($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\"><path d=\"M40 10V{Height - 20}H{Width - 10}\" fill=\"none\" stroke=\"#bbb\"/>");
        foreach (var value in new[] { low, (low + high) / 2, high })
        {
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"36\" y=\"{Y(value)}\" text-anchor=\"end\">{value:G3}</text>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - 10}\" y=\"{Height - 6}\" text-anchor=\"end\">{steps}</text>");
        foreach (var ((name, points), i) in curves.Select((c, i) => (c, i)))
        {
            var line = string.Join(' ', points.Select(p => $"{X(p.Step)},{Y(p.Value)}"));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{line}\" fill=\"none\" stroke=\"{Colours[i]}\" stroke-width=\"1.5\"/><text x=\"{50 + (120 * i)}\" y=\"{Height - 6}\" style=\"fill:{Colours[i]}\">{name}</text>");
        }

        return svg.Append("</svg>").ToString();
    }
}
