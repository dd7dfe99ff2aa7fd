using Microsoft.Data.Sqlite;
using PsyLite.Agent.Retrieval;
using PsyLite.Store;

namespace PsyLite.Tests.Store;

public sealed class PassageIndexTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("今天终于升职了", "b")]
    [InlineData("考到駕照啦，太開心", "c")]
    [InlineData("我家猫今天很乖", "a")]
    [InlineData("ＫＴＶ唱歌", "d")]
    public async Task Words_of_two_characters_one_in_a_title_and_other_spellings_are_found(string words, string expected)
    {
        using var search = Index(("a", "猫 宠物", "它今天肯让我抱了"), ("b", "电梯汇报", "升职那天我去汇报"), ("c", "学车", "驾照考了三回"), ("d", "聚会", "我们去KTV唱歌"));
        Assert.Equal(expected, (await search.SearchAsync(words, 3, default))[0].Key);
    }

    [Fact]
    public async Task The_ranking_agrees_with_exact_BM25_over_the_same_passages()
    {
        var random = new Random(3);
        const string Characters = "春夏秋冬山水花鸟风雨雪月茶饭书画车船门窗灯火";
        var texts = Enumerable.Range(0, 400).Select(_ => new string(random.GetItems(Characters.AsSpan(), 30))).ToArray();
        var exact = new PassageIndex(texts);
        using var search = Index([.. texts.Select((t, i) => ($"{i}", "", t))]);
        var agreed = 0;
        for (var i = 0; i < 40; i++)
        {
            var query = texts[i * 10].Substring(5, 6);
            var best = exact.Search(query, 5).Select(b => $"{b.Passage}").ToList();
            agreed += (await search.SearchAsync(query, 5, default)).Count(h => best.Contains(h.Key));
        }

        Assert.True(agreed >= 40 * 5 * 0.8, $"{agreed} of {40 * 5}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("的了是我")]
    [InlineData("\" OR NEAR(* {}:^ -")]
    [InlineData("'; DROP TABLE passages; --")]
    [InlineData("\0\u001b[31m\ud800")]
    [InlineData("升\"职 AND NOT")]
    public async Task Any_text_can_be_asked(string words)
    {
        using var search = Index(("b", "电梯汇报", "升职那天我去汇报"));
        Assert.True((await search.SearchAsync(words, 3, default)).Count <= 1);
        Assert.Single(await search.SearchAsync("升职", 3, default));
    }

    [Fact]
    public async Task A_very_long_question_costs_no_more_than_a_short_one()
    {
        using var search = Index([.. Enumerable.Range(0, 500).Select(i => ($"{i}", "春夏", $"春夏秋冬山水花鸟{i}风雨雪月"))]);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(5, (await search.SearchAsync(string.Concat(Enumerable.Repeat("春夏秋冬山水花鸟风雨雪月", 10_000)), 5, default)).Count);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(3), $"{watch.Elapsed}");
    }

    [Fact]
    public async Task A_missing_index_finds_nothing_and_one_that_appears_or_changes_is_seen()
    {
        using var search = new SqlitePassageSearch(_folder["x.db"]);
        Assert.Empty(await search.SearchAsync("升职", 3, default));
        Write("x.db", ("b", "", "升职那天"));
        Assert.Equal("b", Assert.Single(await search.SearchAsync("升职", 3, default)).Key);
        await Task.Delay(20);
        Write("x.db", ("b", "", "升职那天"), ("c", "", "升职的晚上我们去吃了一顿"));
        Assert.Equal(2, (await search.SearchAsync("升职", 3, default)).Count);
    }

    [Fact]
    public async Task A_damaged_index_is_a_fault_that_the_guard_turns_into_nothing()
    {
        Write("x.db", [.. Enumerable.Range(0, 300).Select(i => ($"{i}", "升职", $"升职那天{i}我去汇报"))]);
        var good = File.ReadAllBytes(_folder["x.db"]);
        var random = new Random(9);
        for (var run = 0; run < 60; run++)
        {
            var bytes = run switch
            {
                0 => [],
                1 => [.. "这不是数据库"u8],
                2 => good[..(good.Length / 2)],
                _ => Damaged(good, random),
            };
            var path = _folder[$"bad{run}.db"];
            await File.WriteAllBytesAsync(path, bytes);
            using var search = new SqlitePassageSearch(path);
            var guarded = new GuardedPassageSearch(search, TimeSpan.FromSeconds(10), TimeSpan.Zero, TimeProvider.System);
            Assert.True((await guarded.SearchAsync("升职汇报", 3, default)).Count <= 3);
        }
    }

    [Fact]
    public async Task A_file_that_others_have_locked_still_answers()
    {
        Write("x.db", ("b", "", "升职那天"));
        using var other = new SqliteConnection($"Data Source={_folder["x.db"]};Pooling=False");
        other.Open();
        PassageIndexFile.Execute(other, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
        using var search = new SqlitePassageSearch(_folder["x.db"]);
        Assert.Single(await search.SearchAsync("升职", 3, default));
    }

    [Fact]
    public void Nothing_half_written_is_ever_in_place()
    {
        Write("x.db", ("b", "", "升职那天"));
        var before = File.ReadAllBytes(_folder["x.db"]);
        using (var writer = new PassageIndexWriter(_folder["x.db"], dimensions: 4))
        {
            writer.Add("c", "", "加薪", "加薪", [1, 2, 3, 4]);
            Assert.Equal(2, _folder.Names.Count(n => n.StartsWith("x.db", StringComparison.Ordinal) && !n.EndsWith(".values", StringComparison.Ordinal) && !n.EndsWith(".vec", StringComparison.Ordinal)));
        }

        Assert.Equal(["x.db"], _folder.Names);
        Assert.Equal(before, File.ReadAllBytes(_folder["x.db"]));
    }

    [Fact]
    public async Task Many_turns_at_once_search_side_by_side()
    {
        using var search = Index([.. Enumerable.Range(0, 50).Select(i => ($"{i}", "升职", $"升职那天{i}我去汇报"))]);
        var all = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(async () => await search.SearchAsync("升职汇报", 5, default))));
        Assert.All(all, hits => Assert.Equal(5, hits.Count));
    }

    private SqlitePassageSearch Index(params (string Key, string Head, string Body)[] passages)
    {
        Write("x.db", passages);
        return new SqlitePassageSearch(_folder["x.db"]);
    }

    private void Write(string name, params (string Key, string Head, string Body)[] passages)
    {
        using var writer = new PassageIndexWriter(_folder[name]);
        foreach (var (key, head, body) in passages)
        {
            writer.Add(key, head, body, $"{head} {body}");
        }

        writer.Publish();
    }

    private static byte[] Damaged(byte[] good, Random random)
    {
        var bytes = (byte[])good.Clone();
        for (var k = random.Next(1, 200); k > 0; k--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        return bytes;
    }
}
