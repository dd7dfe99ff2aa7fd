using PsyLite.Store.Export;
using PsyLite.Web.Live;

namespace PsyLite.Web;

/// <summary>The downloads of the page: everything that is kept of the person.</summary>
internal static class PersonEndpoints
{
    public static void Map(WebApplication app)
    {
        app.MapGet("/my/export.json", (HttpContext http, PersonRecords records, TimeProvider time) =>
            WriteAsync(http, records, "application/json; charset=utf-8", "psylite.json", (export, body, cancel) => JsonExport.WriteAsync(export, body, time.GetUtcNow(), null, cancel)));
        app.MapGet("/my/export.html", (HttpContext http, PersonRecords records, TimeProvider time) =>
            WriteAsync(http, records, "text/html; charset=utf-8", "psylite.html", (export, body, cancel) => HtmlExport.WriteAsync(export, body, time.GetUtcNow(), null, cancel)));
    }

    private static async Task WriteAsync(HttpContext http, PersonRecords records, string type, string name, Func<OwnerExport, Stream, CancellationToken, Task> write)
    {
        // Read as a whole first: half a file would look like all there is.
        using var whole = new MemoryStream();
        try
        {
            await write(new OwnerExport(await records.Lasting.OpenAsync(), PageOwner.Of(http)), whole, http.RequestAborted);
        }
        catch (Exception fault) when (!http.RequestAborted.IsCancellationRequested)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await http.Response.WriteAsync(records.Explain(fault));
            return;
        }

        records.NoteExport();
        http.Response.ContentType = type;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}\"";
        whole.Position = 0;
        await whole.CopyToAsync(http.Response.Body, http.RequestAborted);
    }
}
