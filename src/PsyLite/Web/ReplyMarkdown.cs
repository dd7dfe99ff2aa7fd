using Markdig;
using Markdig.Parsers.Inlines;
using Microsoft.AspNetCore.Components;

namespace PsyLite.Web;

/// <summary>
/// Markdown of replies as HTML. Raw HTML is shown as text, and there are neither links nor images: a model's address may lead
/// anywhere, and an image would tell its host that this page was read.
/// </summary>
internal static class ReplyMarkdown
{
    private static readonly MarkdownPipeline Pipeline = Build();

    public static MarkupString Render(string markdown) => new(Markdown.ToHtml(markdown, Pipeline));

    /// <summary>The same text without markup, for screen readers.</summary>
    public static string Plain(string markdown) => Markdown.ToPlainText(markdown, Pipeline).Trim();

    private static MarkdownPipeline Build()
    {
        var builder = new MarkdownPipelineBuilder().DisableHtml().UseSoftlineBreakAsHardlineBreak();
        builder.InlineParsers.TryRemove<LinkInlineParser>();
        builder.InlineParsers.TryRemove<AutolinkInlineParser>();
        builder.BlockParsers.TryRemove<Markdig.Parsers.IndentedCodeBlockParser>();
        return builder.Build();
    }
}
