using System.Text.Json.Nodes;
using PsyLite.Server.Accounts;
using PsyLite.Store;
using PsyLite.Store.Conversations;
using PsyLite.Store.Export;

namespace PsyLite.Server.Owners;

/// <summary>
/// What a person, or a program with their key, may see and erase of their own record. Every path names nobody: whose it is follows from the key
/// or the session, and for a front end that serves several people from the person it names.
/// </summary>
internal static class OwnerEndpoints
{
    private const int MostListed = 200;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var me = routes.MapGroup("/me").WithMetadata(new ApiSurface(Dialect.OpenAi), new TakesSession());
        me.MapGet("/conversations", ListAsync);
        me.MapGet("/conversations/{id}", OpenAsync);
        me.MapDelete("/conversations/{id}", EraseAsync);
        me.MapGet("/export", ExportAsync);
        me.MapDelete("", EraseAllAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext http, StoreHost store, int? skip, int? most)
    {
        var conversations = await store.Lasting.OpenAsync();
        var page = await conversations.ListAsync(OwnerOf(http), Math.Clamp(skip ?? 0, 0, int.MaxValue), Math.Clamp(most ?? MostListed, 1, MostListed), http.RequestAborted);
        return Json(new JsonObject { ["conversations"] = new JsonArray([.. page.Select(Summary)]) });
    }

    private static async Task<IResult> OpenAsync(HttpContext http, string id, StoreHost store)
    {
        var stored = await FindAsync(http, id, store) ?? throw Unknown();
        var answer = Summary(stored.Summary);
        answer["messages"] = new JsonArray([.. stored.Messages.Select(Message)]);
        return Json(answer);
    }

    private static async Task<IResult> EraseAsync(HttpContext http, string id, StoreHost store)
    {
        var stored = await FindAsync(http, id, store) ?? throw Unknown();
        if (!await (await store.Lasting.OpenAsync()).EraseAsync(OwnerOf(http), stored.Summary.Id, http.RequestAborted))
        {
            throw Unknown();
        }

        store.Note("Erased", "owner", stored.Summary.Id);
        return Json(new JsonObject { ["erased"] = 1 });
    }

    private static async Task<IResult> EraseAllAsync(HttpContext http, StoreHost store, string? confirm)
    {
        if (confirm != "everything")
        {
            throw ApiException.Invalid("this erases everything for good: DELETE /me?confirm=everything", "confirm");
        }

        var erased = await (await store.Lasting.OpenAsync()).EraseOwnerAsync(OwnerOf(http), http.RequestAborted);
        store.Note("Erased", $"owner, {erased} conversations");
        return Json(new JsonObject { ["erased"] = erased });
    }

    private static async Task ExportAsync(HttpContext http, StoreHost store, TimeProvider time, string? format)
    {
        var isPage = format switch
        {
            null or "json" => false,
            "html" => true,
            _ => throw ApiException.Invalid("format must be json or html", "format"),
        };
        var export = new OwnerExport(await store.Lasting.OpenAsync(), OwnerOf(http));
        var now = time.GetUtcNow();

        // Read as a whole first: half a file would look like all there is.
        using var whole = new MemoryStream();
        await (isPage ? HtmlExport.WriteAsync(export, whole, now, null, http.RequestAborted) : JsonExport.WriteAsync(export, whole, now, null, http.RequestAborted));
        store.Note("Exported", "owner");
        http.Response.ContentType = isPage ? "text/html; charset=utf-8" : "application/json; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"psylite-{now:yyyyMMdd}.{(isPage ? "html" : "json")}\"";
        whole.Position = 0;
        await whole.CopyToAsync(http.Response.Body, http.RequestAborted);
    }

    /// <summary>By the name that the store gave or by the one that the caller gave; of somebody else there is neither.</summary>
    private static async Task<StoredConversation?> FindAsync(HttpContext http, string id, StoreHost store)
    {
        var conversations = await store.Lasting.OpenAsync();
        var owner = OwnerOf(http);
        return await conversations.OpenAsync(owner, id, http.RequestAborted)
            ?? await conversations.OpenAsync(owner, RecordedDesk.NameOf(owner, id), http.RequestAborted);
    }

    private static string OwnerOf(HttpContext http) => Owner.Of(http.User, http.Request.Headers["X-OpenWebUI-User-Id"] is [{ Length: > 0 and <= 200 } user] ? user : null);

    private static JsonObject Summary(ConversationSummary summary) => new()
    {
        ["id"] = summary.Id,
        ["title"] = summary.Head.Title,
        ["created"] = summary.Created.ToUnixTimeSeconds(),
        ["updated"] = summary.Updated.ToUnixTimeSeconds(),
    };

    private static JsonObject Message(StoredMessage message) => new()
    {
        ["turn"] = message.TurnId,
        ["author"] = message.Author.ToString().ToLowerInvariant(),
        ["stage"] = message.Stage.ToString().ToLowerInvariant(),
        ["at"] = message.At.ToUnixTimeSeconds(),
        ["text"] = message.Body?.Text,
    };

    private static ApiException Unknown() => new(404, "not_found", "there is no such conversation");

    private static IResult Json(JsonNode body) => Results.Json(body, ApiBoundary.Json);
}
