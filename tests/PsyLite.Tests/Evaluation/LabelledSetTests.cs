using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Safety;

namespace PsyLite.Tests.Evaluation;

public sealed class LabelledSetTests
{
    private static readonly string Corpus = Path.Combine(ReferenceGraphTests.Root, "corpora/risk");

    [Fact]
    public void A_line_is_read_with_its_marks_and_turns()
    {
        var read = LabelledSet.Read("x", ["# note", "T2\t-\tlong\t今天下雨⟦我不想醒了⟧晚安", "", "T0\thappy\tchat\t在吗 ⏎ 在 ⏎ 我考过了！"]).ToList();
        Assert.Equal(("今天下雨我不想醒了晚安", 4, 9), (read[0].Text, read[0].MarkStart, read[0].MarkEnd));
        Assert.Equal((Tier.T2, LabelledMood.None, true, 2), (read[0].Tier, read[0].Mood, read[0].IsDanger, read[0].Line));
        Assert.Equal(["在吗", "在", "我考过了！"], read[1].Turns);
        Assert.Equal((LabelledMood.Happy, -1), (read[1].Mood, read[1].MarkStart));
    }

    [Theory]
    [InlineData("T9\t-\tk\t字", "T9")]
    [InlineData("T2\tjolly\tk\t字", "jolly")]
    [InlineData("T2\t-\t字", "tab")]
    public void A_bad_line_is_named(string line, string named)
    {
        var message = Assert.Throws<FormatException>(() => LabelledSet.Read("x", ["", line]).ToList()).Message;
        Assert.Contains("x.tsv line 2", message);
        Assert.Contains(named, message);
    }

    [Fact]
    public void Blocks_are_held_back_whole_and_make_a_third()
    {
        var blocks = Enumerable.Range(0, 3000).SelectMany(i => new[] { $"T0\tsad\tk\t第{i}块甲", $"T0\tsad\tk\t第{i}块乙", "" });
        var read = LabelledSet.Read("x", blocks).ToList();
        Assert.All(read.Chunk(2), pair => Assert.Equal(pair[0].IsHeldBack, pair[1].IsHeldBack));
        Assert.InRange(read.Count(m => m.IsHeldBack) / (double)read.Count, 0.31, 0.36);
    }

    [Fact]
    public void The_set_is_large_distinct_and_covers_every_tier_and_pattern()
    {
        var all = LabelledSet.ReadFolder(Corpus);
        Assert.True(all.Count(m => !m.Source.StartsWith("phrases", StringComparison.Ordinal)) > 20_000, $"{all.Count}");
        Assert.All(Enum.GetValues<Tier>(), t => Assert.True(all.Count(m => m.Tier == t) > 200, $"{t}: {all.Count(m => m.Tier == t)}"));
        Assert.All(Enumerable.Range(1, 90), p => Assert.True(all.Count(m => m.Kind == $"p{p:00}") >= 15, $"p{p:00}: {all.Count(m => m.Kind == $"p{p:00}")}"));
        var copies = all.GroupBy(m => (m.Source, string.Join('⏎', m.Turns))).Count(g => g.Count() > 1);
        Assert.True(copies <= 5, $"{copies} lines stand twice in one file");
    }
}
