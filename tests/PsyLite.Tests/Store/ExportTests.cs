using System.Diagnostics;
using System.Text;
using System.Text.Json;
using PsyLite.Store;
using PsyLite.Store.Conversations;
using PsyLite.Store.Export;
using PsyLite.Store.Sql;
using PsyLite.Tests.Agent;

namespace PsyLite.Tests.Store;

public sealed class ExportTests(Xunit.Abstractions.ITestOutputHelper output) : IDisposable
{
    private const string Nasty = "</div><script>alert('1')</script> & \"引号\" 🕯️\n第二行";
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_JSON_holds_everything_as_it_was(bool isLasting)
    {
        var store = await FilledAsync(isLasting);
        using var json = JsonDocument.Parse(await JsonAsync(store, null));
        var root = json.RootElement;
        Assert.Equal((OwnerExport.Format, "a", OwnerExport.GeneratedLabel), (root.GetProperty("format").GetString(), root.GetProperty("owner").GetString(), root.GetProperty("label").GetString()));
        Assert.Equal(40, root.GetProperty("conversations").GetArrayLength());
        foreach (var exported in root.GetProperty("conversations").EnumerateArray())
        {
            var stored = (await store.OpenAsync("a", exported.GetProperty("id").GetString()!, default))!;
            Assert.Equal(stored.Summary.Head.Title, exported.GetProperty("title").GetString());
            var messages = exported.GetProperty("messages").EnumerateArray().ToList();
            Assert.Equal(stored.Messages.Select(m => m.Body?.Text), messages.Select(m => m.TryGetProperty("text", out var text) ? text.GetString() : null));
            Assert.Equal(stored.Messages.Select(m => m.At), messages.Select(m => m.GetProperty("at").GetDateTimeOffset()));
            Assert.Equal([false, true, false, true], messages.Select(m => m.GetProperty("isGenerated").GetBoolean()));
            Assert.Equal(["committed", "committed", "committed", "open"], messages.Select(m => m.GetProperty("stage").GetString()));
        }

        Assert.Equal(5, Assert.Single(root.GetProperty("checkIns").EnumerateArray()).GetProperty("score").GetInt32());
        Assert.Equal("storage", Assert.Single(root.GetProperty("consents").EnumerateArray()).GetProperty("matter").GetString());
        Assert.DoesNotContain("别人的", root.GetRawText());

        var one = JsonDocument.Parse(await JsonAsync(store, "c7")).RootElement;
        Assert.Equal("c7", Assert.Single(one.GetProperty("conversations").EnumerateArray()).GetProperty("id").GetString());
        Assert.False(one.TryGetProperty("checkIns", out _));
        await Assert.ThrowsAsync<StoreException>(() => JsonAsync(store, "of-b"));
    }

    [Fact]
    public async Task The_page_shows_text_as_text_and_loads_nothing()
    {
        var store = await FilledAsync(isLasting: true);
        using var stream = new MemoryStream();
        await HtmlExport.WriteAsync(new OwnerExport(store, "a"), stream, _time.GetUtcNow(), null, default);
        var page = Encoding.UTF8.GetString(stream.ToArray());
        Assert.DoesNotContain("<script", page);
        Assert.Contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;引号&quot; 🕯️\n第二行", page);
        Assert.Contains("default-src 'none'", page);
        Assert.DoesNotContain("http://", page);
        Assert.DoesNotContain("https://", page);
        Assert.Contains("没有完成", page);
        Assert.Equal(40, page.Split("<h2>").Length - 2);
        Assert.EndsWith("</html>\n", page);
    }

    [Fact]
    public async Task A_search_of_five_thousand_messages_is_quick_and_small()
    {
        var database = await Stores.OpenAsync(_folder["a.db"], _time);
        var store = new SqlConversationStore(database);
        var body = string.Concat(Enumerable.Repeat("今天和同事聊了很久，心里还是堵得慌，", 8));
        for (var i = 0; i < 50; i++)
        {
            await FillAsync(database, $"s{i}", number => i == 3 && number == 18 ? body + "去了海邊。" : body);
        }

        await SearchAsync(store, "海边");
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watch = Stopwatch.StartNew();
        Assert.Equal(("s3", 18), Assert.Single((await SearchAsync(store, "海边")).Select(h => (h.Conversation.Id, h.Ordinal))));
        output.WriteLine($"5,000 messages: {watch.ElapsedMilliseconds} ms");
        Assert.InRange(watch.ElapsedMilliseconds, 0, 5000);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 4 << 20);
    }

    /// <summary>A hundred messages in one transaction.</summary>
    private static Task<int> FillAsync(StoreDatabase database, string id, Func<int, string> text) => database.WriteAsync(
        async db =>
        {
            await new SqlOwnerRecords(database).OwnerAsync(db, "s", default);
            var key = await database.AddKeyAsync(db, Seals.ConversationKey(id), default);
            db.Conversations.Add(new ConversationRow
            {
                Id = id,
                OwnerId = "s",
                Created = database.Now,
                Updated = database.Now,
                Head = key.Seal(Stores.Head(), Seals.Head(id, "s")),
                State = key.SealBytes(StateRecord.Write(new()), Seals.State(id)),
            });
            db.Messages.AddRange(Enumerable.Range(0, 100).Select(n => new MessageRow
            {
                ConversationId = id,
                Ordinal = n,
                TurnId = $"t{n / 2}",
                Author = (Author)(n % 2),
                Stage = MessageStage.Committed,
                At = database.Now,
                Body = key.Seal(new MessageBody(text(n)), Seals.Body(id, $"t{n / 2}", n, (Author)(n % 2))),
            }));
            return 0;
        },
        default);

    private static async Task<List<SearchHit>> SearchAsync(SqlConversationStore store, string words)
    {
        var hits = new List<SearchHit>();
        await foreach (var hit in store.SearchAsync("s", words, default))
        {
            hits.Add(hit);
        }

        return hits;
    }

    private static async Task<byte[]> JsonAsync(IConversationStore store, string? only)
    {
        using var stream = new MemoryStream();
        await JsonExport.WriteAsync(new OwnerExport(store, "a"), stream, DateTimeOffset.UnixEpoch, only, default);
        return stream.ToArray();
    }

    private async Task<IConversationStore> OpenAsync(bool isLasting) => isLasting ? await Stores.SqliteAsync(_folder["a.db"], _time) : new MemoryConversationStore(_time);

    private async Task<IConversationStore> FilledAsync(bool isLasting)
    {
        var store = await OpenAsync(isLasting);
        for (var i = 0; i < 40; i++)
        {
            _time.Pass(TimeSpan.FromMinutes(1));
            await store.CreateAsync("a", $"c{i}", Stores.Head($"{i} {Nasty}"), default);
            await store.TurnAsync("a", $"c{i}", "t1", Nasty, Nasty + "答");
            await store.BeginTurnAsync("a", $"c{i}", "t2", "还有一句", default);
        }

        await store.CreateAsync("b", "of-b", Stores.Head("别人的"), default);
        await store.AddCheckInAsync("a", new CheckIn(Questionnaire.Mood, _time.GetUtcNow(), [5]), default);
        await store.AddConsentAsync("a", new ConsentRecord("storage", true, "1", _time.GetUtcNow()), default);
        return store;
    }
}
