using PsyLite.Store;
using PsyLite.Store.Conversations;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;
using PsyLite.Tests.Agent;

namespace PsyLite.Tests.Store;

/// <summary>Opens stores for tests.</summary>
internal static class Stores
{
    public static ConversationHead Head(string title = "标题") => new(title, new PersonSettings());

    public static Task<StoreDatabase> OpenAsync(string path, TimeProvider? time = null, KeySource? keys = null) =>
        StoreDatabase.OpenAsync(new SqliteBackend(path, time ?? new ManualTime()), keys ?? KeySource.FromFile(path + ".key"), time ?? new ManualTime(), CancellationToken.None);

    public static async Task<SqlConversationStore> SqliteAsync(string path, TimeProvider? time = null) => new(await OpenAsync(path, time));

    /// <summary>One whole turn.</summary>
    public static async Task<bool> TurnAsync(this IConversationStore store, string owner, string id, string turn, string said, string answered)
    {
        var start = await store.BeginTurnAsync(owner, id, turn, said, default);
        start.State.Turns++;
        return await store.CommitTurnAsync(owner, id, turn, new MessageBody(answered) { FinishReason = "stop" }, start.State, default);
    }

    public static async Task<string> CreateAsync(this IConversationStore store, string owner, string title = "标题")
    {
        var id = RecordId.Create();
        await store.CreateAsync(owner, id, Head(title), default);
        return id;
    }

    /// <summary>Every byte of every file of the store.</summary>
    public static byte[] Bytes(string path) =>
        [.. Directory.EnumerateFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + "*").Where(f => !f.EndsWith(".key", StringComparison.Ordinal)).SelectMany(ReadShared)];

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        return bytes.ToArray();
    }
}
