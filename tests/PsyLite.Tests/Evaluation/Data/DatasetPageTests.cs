using System.Xml.Linq;
using PsyLite.DataPipeline;
using PsyLite.Evaluation.Data;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Records;

namespace PsyLite.Tests.Evaluation.Data;

public sealed class DatasetPageTests
{
    private static DataRecord Row(int n, string said, string replied) => new($"{n}", "counsel", "set/a", [new SampleMessage("user", said), new SampleMessage("assistant", replied) { Reasoning = n % 2 == 0 ? "想一想" : null }])
    {
        Topic = "<睡眠 & 梦>",
        Score = 9.5,
        Licence = "CC0",
    };

    [Fact]
    public void Figures_count_what_there_is_and_the_page_escapes_it_and_asks_nobody()
    {
        var count = new DatasetCount(text => text.Length);
        count.Add(
        [
            Row(0, "我睡不着，怎么办", "先喘口气，慢慢说说看"), Row(1, "我睡不着怎么办！", "先喘口气，慢慢说说看。"), Row(2, "今天考了第一名", "真为你高兴，是怎么做到的？"),
            Row(3, "我不想活了，药都买好了", new string('好', 3000)) with { Rejected = new SampleMessage("assistant", "哦") }, Row(4, "打我13812345678", "每天吃2片安眠药"),
        ], default);
        var figures = count.Figures(["a.jsonl"], 2, default);
        Assert.Equal((5, 1, 3, 2, 1, 1, 1), (figures.Rows, figures.Pairs, figures.WithReasoning, figures.Rejected, figures.ExactDuplicates, figures.NearDuplicates, figures.WithPersonalData));
        var row = figures.Lengths.Single(l => l.Name == "row");
        Assert.Equal(5, row.Counts.Sum());
        Assert.Equal(11 + 5 + 3000 + 5, row.Longest);
        Assert.Contains(figures.Tiers, t => t.Name == "T3" || t.Name == "T4");
        Assert.Equal([new NamedCount("guard.dose", 1)], figures.BrokenRules);
        var page = DatasetPage.Write(figures);
        Assert.Contains("&lt;睡眠 &amp; 梦&gt;", page);
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("http:", page.Replace("http-equiv", "", StringComparison.Ordinal));
        Assert.All(page.Split("<svg").Skip(1), svg => XElement.Parse("<svg" + svg[..(svg.IndexOf("</svg>", StringComparison.Ordinal) + 6)]));
    }

    [Fact]
    public void An_empty_set_has_a_page_too() => Assert.Contains("0 行", DatasetPage.Write(new DatasetFigures { Files = [] }));
}
