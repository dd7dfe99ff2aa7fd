using System.Text;
using PsyLite.Models.Text;

namespace PsyLite.Tests.Models;

public sealed class ThinkSplitterTests
{
    private static readonly string[] TagNames = ["think", "thinking", "reason", "reasoning", "thought"];

    public static TheoryData<string, string, string, bool> Outputs => new()
    {
        { "你好，我在听。", "", "你好，我在听。", false },
        { "<think>他很难过。\n先共情。</think>\n\n听起来你很难过。", "他很难过。\n先共情。", "听起来你很难过。", false },
        { "<think>\r\n一\r\n</think>\r\n\r\n二", "一\r\n", "二", false },
        { "<think></think>好", "", "好", false },
        { "<think>没有说完", "没有说完", "", true },
        { "<think>没有说完</thin", "没有说完", "", true },
        { "先说<thinking>想</thinking>再说<reason>又想</reason>最后", "想又想", "先说再说最后", false },
        { "<Think>A</THINK>b", "A", "b", false },
        { "<think>a</reasoning>b", "a", "b", false },
        { "<think>a<think>b</think>c", "ab", "c", false },
        { "</think>\n好", "", "好", false },
        { "好</think>\n的", "", "好\n的", false },
        { "1 < 2 and <b>x</b> </ <", "", "1 < 2 and <b>x</b> </ <", false },
        { "a <thinker> <think >", "", "a <thinker> <think >", false },
        { "a<thi", "", "a", false },
        { "<thi</think>nk>x", "", "<thi nk>x", false },
        { "<thi<think>r</think>nk>x", "r", "<thi nk>x", false },
        { "</</think>think>x", "", "</ think>x", false },
        { "<<think>a</think>", "a", "<", false },
        { "<thought>a</thought>\n\n\nb\n\nc\n", "a", "b\n\nc\n", false },
        { "", "", "", false },
    };

    [Theory]
    [MemberData(nameof(Outputs))]
    public void Splits_the_same_at_every_pair_of_cut_positions(string output, string reasoning, string content, bool inside)
    {
        for (var first = 0; first <= output.Length; first++)
        {
            for (var second = first; second <= output.Length; second++)
            {
                AssertSplit([output[..first], output[first..second], output[second..]], reasoning, content, inside);
            }
        }

        AssertSplit([.. output.Select(c => c.ToString())], reasoning, content, inside);
        Assert.Equal(new ThinkDelta(reasoning, content), ThinkSplitter.Split(output));
    }

    [Fact]
    public void Starts_inside_when_the_prompt_opened_the_reasoning()
    {
        var splitter = new ThinkSplitter(startsInsideThink: true);
        Assert.Equal(new ThinkDelta("想", "说"), splitter.Push("\n想</think>\n\n说"));
        splitter.Finish();
        Assert.False(splitter.FinishedInsideThink);
    }

    [Fact]
    public void Text_is_passed_on_as_soon_as_it_cannot_be_a_tag()
    {
        var splitter = new ThinkSplitter();
        Assert.Equal(new ThinkDelta("", "a"), splitter.Push("a<"));
        Assert.Equal(new ThinkDelta("", ""), splitter.Push("thin"));
        Assert.Equal(new ThinkDelta("", "<thing"), splitter.Push("g"));
        Assert.Equal(new ThinkDelta("", ""), splitter.Finish());
        Assert.Throws<InvalidOperationException>(() => splitter.Push("x"));
    }

    [Fact]
    public void No_tag_survives_in_the_content_of_random_output()
    {
        var random = new Random(17);
        string[] parts = [.. TagNames.SelectMany(n => new[] { $"<{n}>", $"</{n}>", $"<{n[..3]}", $"{n[3..]}>" }), "<", "</", ">", "/", "th", "ink>", "re", "\n", "文", " "];
        for (var run = 0; run < 20_000; run++)
        {
            var splitter = new ThinkSplitter();
            var (content, all, length) = (new StringBuilder(), new StringBuilder(), random.Next(1, 12));
            for (var i = 0; i < length; i++)
            {
                var part = parts[random.Next(parts.Length)];
                all.Append(part);
                var cut = random.Next(part.Length + 1);
                content.Append(splitter.Push(part.AsSpan(0, cut)).Content).Append(splitter.Push(part.AsSpan(cut)).Content);
            }

            content.Append(splitter.Finish().Content);
            var text = content.ToString();
            Assert.DoesNotContain(TagNames, n => text.Contains($"<{n}>") || text.Contains($"</{n}>"));
            Assert.Equal(ThinkSplitter.Split(all.ToString()).Content, text);
        }
    }

    private static void AssertSplit(string[] deltas, string reasoning, string content, bool inside)
    {
        var splitter = new ThinkSplitter();
        var all = deltas.Select(d => splitter.Push(d)).ToList();
        all.Add(splitter.Finish());
        Assert.Equal(reasoning, string.Concat(all.Select(d => d.Reasoning)));
        Assert.Equal(content, string.Concat(all.Select(d => d.Content)));
        Assert.Equal(inside, splitter.FinishedInsideThink);
    }
}
