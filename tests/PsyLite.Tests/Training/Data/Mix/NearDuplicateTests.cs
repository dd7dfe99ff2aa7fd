using System.Text;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Mix;
using PsyLite.Training.Data.Records;

namespace PsyLite.Tests.Training.Data.Mix;

public sealed class NearDuplicateTests
{
    private static string Text(Random random, int length)
    {
        var text = new StringBuilder();
        for (var i = 0; i < length; i++)
        {
            text.Append((char)('\u4e00' + random.Next(2000)));
        }

        return text.ToString();
    }

    private static HashSet<string> Windows(string text) => [.. Enumerable.Range(0, text.Length - 4).Select(i => text.Substring(i, 5))];

    [Fact]
    public void Signatures_estimate_the_Jaccard_similarity()
    {
        var random = new Random(1);
        var hash = new MinHash();
        var (left, right) = (new ushort[MinHash.Bins], new ushort[MinHash.Bins]);
        var worst = 0.0;
        for (var run = 0; run < 60; run++)
        {
            var a = Text(random, random.Next(40, 600));
            var cut = random.Next(0, a.Length - 10);
            var b = a[..cut] + Text(random, random.Next(0, 60)) + a[(cut + random.Next(0, 5))..];
            hash.Sign(a, left);
            hash.Sign(b, right);
            var (x, y) = (Windows(a), Windows(b));
            var exact = (double)x.Intersect(y).Count() / x.Union(y).Count();
            worst = Math.Max(worst, Math.Abs(exact - MinHash.Similarity(left, right)));
        }

        // Four standard errors at the worst J of 0.5.
        Assert.InRange(worst, 0, 4 * Math.Sqrt(0.25 / MinHash.Bins));
    }

    [Fact]
    public void Of_near_duplicates_the_first_stays_and_strangers_all_do()
    {
        var random = new Random(2);
        var originals = Enumerable.Range(0, 3000).Select(_ => Text(random, 120)).ToList();
        var copies = originals.Take(300).Select((t, i) => i % 3 == 0 ? t.Insert(60, "，。") : i % 3 == 1 ? t[..118] + "好的" : t.ToUpperInvariant()).ToList();
        var texts = originals.Concat(copies).ToList();
        var duplicates = new NearDuplicates(0.8);
        duplicates.Add(texts.Take(1000).ToList());
        duplicates.Add(texts.Skip(1000).ToList());
        var groups = duplicates.Groups(default);
        Assert.Equal(Enumerable.Range(0, 3000), groups.Take(3000));
        Assert.Equal(Enumerable.Range(0, 300), groups.Skip(3000));
    }

    [Fact]
    public void Many_copies_of_one_text_are_no_trap()
    {
        var duplicates = new NearDuplicates(0.8);
        duplicates.Add(Enumerable.Range(0, 20000).Select(i => i % 2 == 0 ? "你好，最近怎么样？" : $"你好，最近怎么样？{(char)('一' + (i % 97))}").ToList());
        Assert.InRange(duplicates.Groups(default).Distinct().Count(), 1, 98);
    }

    [Fact]
    public void Rows_that_repeat_an_evaluation_set_are_found_and_everyday_words_are_not()
    {
        const string Asked = "我和男朋友在一起三年了，最近他总是不回消息，我很害怕他要和我分手，每天都睡不好。";
        var contamination = new Contamination();
        contamination.AddText(Asked);
        contamination.AddText("我不知道该怎么跟他说。");
        contamination.AddText("嗯嗯");
        DataRecord Row(string said) => new("1", "general", "s", [new SampleMessage("user", said), new SampleMessage("assistant", "好。")]);
        Assert.True(contamination.IsIn(Row("老师好！" + Asked[..30] + "后来就好了")));
        Assert.True(contamination.IsIn(Row("我不知道 该怎么跟他说")));
        Assert.False(contamination.IsIn(Row("我不知道该怎么跟他说，也不想说")));
        Assert.False(contamination.IsIn(Row("最近他总是不回消息，我每天都睡不好。")));
        Assert.False(contamination.IsIn(Row("嗯嗯")));
    }

    [Fact]
    public void Folding_leaves_what_is_compared() => Assert.Equal("abc12你好ok", FoldedText.Fold("ＡＢＣ 12，你好！\n（OK）"));
}
