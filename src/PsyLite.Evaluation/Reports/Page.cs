using System.Reflection;

namespace PsyLite.Evaluation.Reports;

/// <summary>A report as one file that asks nobody for anything: style inside, plots inline, no script, light and dark, fit to print.</summary>
internal static class Page
{
    private static readonly string Style = ReadStyle();

    public static Markup Of(string title, Markup lead, IEnumerable<Markup> sections) => Markup.Of($$"""
        <!DOCTYPE html>
        <html lang="zh-CN">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <link rel="icon" href="data:,">
        <title>{{title}}</title>
        <style>
        {{new Markup(Style)}}
        </style>
        </head>
        <body>
        <main>
        {{lead}}
        {{sections}}
        </main>
        </body>
        </html>

        """);

    /// <summary>A heading in both languages and what stands under it.</summary>
    public static Markup Section(string id, string chinese, string english, params IEnumerable<Markup> content) => Markup.Of($"""
        <section id="{id}">
        <h2>{chinese} <span lang="en">{english}</span></h2>
        {content}
        </section>

        """);

    /// <summary>A paragraph in both languages.</summary>
    public static Markup Note(string chinese, string english) =>
        Markup.Of($"""<p class="note">{Words.Unbroken(chinese)} <span lang="en">{Words.Unbroken(english)}</span></p>""");

    public static Markup Figure(string chinese, string english, Markup plot, Markup? legend = null) =>
        Markup.Of($"""<figure><figcaption>{chinese} <span lang="en">{english}</span></figcaption>{legend ?? Markup.None}{plot}</figure>""");

    public static Markup Columns(params IEnumerable<Markup> figures) => Markup.Of($"""<div class="columns">{figures}</div>""");

    /// <summary>Marks and what they stand for, in the order of the series.</summary>
    public static Markup Legend(params string[] names) =>
        Markup.Of($"""<p class="legend">{names.Select((name, i) => Markup.Of($"""<span class="key key-{i}">{name}</span>"""))}</p>""");

    /// <summary>Long matter that opens on demand, and always on paper.</summary>
    public static Markup Fold(string chinese, string english, Markup content) =>
        Markup.Of($"""<details><summary>{chinese} <span lang="en">{english}</span></summary>{content}</details>""");

    private static string ReadStyle()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("PsyLite.Evaluation.report.css")
            ?? throw new InvalidOperationException("The report's style is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
