using System.Globalization;
using System.Text;
using PsyLite.Store.Conversations;

namespace PsyLite.Store.Export;

/// <summary>The export for people: one page without scripts, links or anything from elsewhere.</summary>
internal static class HtmlExport
{
    private const string Head = """
        <!doctype html>
        <html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="generator" content="PsyLite">
        <title>我的对话 · My conversations</title>
        <style>
        :root{color-scheme:light dark}body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:1rem/1.7 system-ui,"Noto Sans CJK SC",sans-serif}
        h2{margin-top:3rem;border-top:1px solid #8884;padding-top:1rem}.m{margin:.8rem 0;padding:.6rem .9rem;border-radius:.8rem;background:#8881;white-space:pre-wrap;overflow-wrap:anywhere}
        .p{background:#3a7a6a22;margin-left:3rem}.meta,time{font-size:.8rem;opacity:.7}details{font-size:.9rem;opacity:.8}table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left}
        </style></head><body>

        """;

    public static async Task WriteAsync(OwnerExport export, Stream stream, DateTimeOffset at, string? only, CancellationToken cancellationToken)
    {
        await using var page = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true);
        await page.WriteAsync(Head);
        await page.WriteLineAsync($"<h1>我的对话 · My conversations</h1><p class=\"meta\">PsyLite, {Time(at)}. 回复由程序生成，不是真人所写 · {Escaped(OwnerExport.GeneratedLabel)}.</p>");
        await foreach (var conversation in export.ConversationsAsync(only, cancellationToken))
        {
            await page.WriteLineAsync($"<h2>{Escaped(conversation.Summary.Head.Title)}</h2><p class=\"meta\">{Time(conversation.Summary.Created)}</p>");
            foreach (var message in conversation.Messages)
            {
                await page.WriteLineAsync(Message(message));
            }

            await page.WriteAsync(Plan(conversation));
            await page.FlushAsync(cancellationToken);
        }

        if (only is null)
        {
            await page.WriteAsync(CheckIns(await export.CheckInsAsync(cancellationToken)));
        }

        await page.WriteLineAsync("</body></html>");
    }

    private static string Message(StoredMessage message)
    {
        var (style, who) = message.Author switch
        {
            Author.Person => ("m p", "我 · I"),
            Author.Program => ("m", "PsyLite（程序生成 · AI-generated）"),
            _ => ("m", "咨询师 · counsellor"),
        };
        var text = message.Body is { } body
            ? (body.Reasoning is { } reasoning ? $"<details><summary>思考 · reasoning</summary>{Escaped(reasoning)}</details>" : "") + Escaped(body.Text)
            : message.Stage == MessageStage.Damaged ? "〔已损坏 · damaged〕" : "〔没有完成 · not finished〕";
        return $"<div class=\"{style}\"><span class=\"meta\">{who} <time>{Time(message.At)}</time></span>\n{text}</div>";
    }

    private static string Plan(StoredConversation conversation)
    {
        var answers = conversation.State.Plan.Answers;
        return answers.Count == 0 ? "" : "<h3>安全计划 · Safety plan</h3><table>"
            + string.Concat(answers.Select(a => $"<tr><th>{a.Key}</th><td>{Escaped(a.Value)}</td></tr>")) + "</table>\n";
    }

    private static string CheckIns(IReadOnlyList<CheckIn> checkIns) => checkIns.Count == 0 ? "" : "<h2>自评 · Check-ins</h2><table>"
        + string.Concat(checkIns.Select(c => $"<tr><td>{Time(c.At)}</td><td>{c.Questionnaire}</td><td>{c.Score.ToString(CultureInfo.InvariantCulture)}</td></tr>")) + "</table>\n";

    private static string Time(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>Chinese stays readable in the source; what HTML reads as markup does not stay.</summary>
    private static string Escaped(string text) => text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;").Replace("\"", "&quot;").Replace("'", "&#39;");
}
