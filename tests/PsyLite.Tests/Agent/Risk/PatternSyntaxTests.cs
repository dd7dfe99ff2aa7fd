using PsyLite.Agent.Risk;
using PsyLite.Agent.Risk.Patterns;

namespace PsyLite.Tests.Agent.Risk;

public sealed class PatternSyntaxTests
{
    private static readonly PatternSyntax Syntax = new(new Dictionary<string, string> { ["死"] = "死|<去>", ["去"] = "去世" }, c => c.ToString());

    [Theory]
    [InlineData("想(去)?死", "我想死", true)]
    [InlineData("想(去)?死", "我想去死", true)]
    [InlineData("想~死", "想一二三四死", true)]
    [InlineData("想~死", "想一二三四五死", false)]
    [InlineData("想~~死", "想一二三四五死", true)]
    [InlineData("想~死", "想。死", false)]
    [InlineData("想<死>", "想去世", true)]
    [InlineData("[想要]死", "要死", true)]
    [InlineData("想死(?!你)", "想死你", false)]
    [InlineData("(?<!不)想死", "不想死", false)]
    [InlineData("走了$", "我走了,再见", true)]
    [InlineData("走了$", "走了三年", false)]
    [InlineData("^走", "我走", false)]
    [InlineData("想+死", "想想想死", true)]
    [InlineData("(一|二)*想死", "一二想死", true)]
    public void Patterns_mean_what_they_say(string pattern, string text, bool matches) =>
        Assert.Equal(matches, Syntax.Compile(pattern).Any(p => p.Expression?.Value.IsMatch(text) ?? p.Anchors.Any(text.Contains)));

    [Fact]
    public void Each_alternative_is_a_pattern_and_a_plain_word_needs_no_expression()
    {
        var patterns = Syntax.Compile("遗书|写(好|完)遗言|写~遗言").ToList();
        Assert.Equal(3, patterns.Count);
        Assert.Null(patterns[0].Expression);
        Assert.Null(patterns[1].Expression);
        Assert.NotNull(patterns[2].Expression);
        Assert.Equal(["遗言"], patterns[2].Anchors);
        Assert.Equal(["遗书"], patterns[0].Anchors);
        Assert.Equal(["写好遗言", "写完遗言"], patterns[1].Anchors);
    }

    [Theory]
    [InlineData("想(死")]
    [InlineData("想死)")]
    [InlineData("(一)?")]
    [InlineData("~")]
    [InlineData("<没有>")]
    public void Faulty_patterns_are_refused(string pattern) => Assert.Throws<FormatException>(() => Syntax.Compile(pattern).ToList());

    [Fact]
    public void Every_pattern_of_the_rule_files_compiles_and_finds_its_own_words()
    {
        var patterns = Turns.Assessor.Book.Patterns.ToList();
        Assert.True(patterns.Count > 1000, $"{patterns.Count} patterns");
        Assert.All(patterns, p => _ = p.Expression?.Value);
        Assert.All(patterns, p => Assert.All(p.Anchors, a => Assert.NotEqual("", a)));
    }

    [Fact]
    public void The_scanner_finds_what_a_plain_search_finds()
    {
        var random = new Random(3);
        const string letters = "abc";
        for (var run = 0; run < 300; run++)
        {
            string Word(int longest) => string.Concat(Enumerable.Range(0, random.Next(1, longest)).Select(_ => letters[random.Next(3)]));
            var words = Enumerable.Range(0, 8).Select(_ => Word(5)).Distinct().ToList();
            var text = Word(60);
            var found = new List<(int Number, int End)>();
            new AnchorScanner(words.Select((w, i) => (w, i))).Scan(text, found);
            var expected = from i in Enumerable.Range(0, words.Count)
                           from end in Enumerable.Range(1, text.Length)
                           where end >= words[i].Length && text.AsSpan(end - words[i].Length, words[i].Length).SequenceEqual(words[i])
                           select (i, end);
            Assert.Equal(expected.Order(), found.Order());
        }
    }

    [Fact]
    public void No_message_takes_long()
    {
        string[] nasty =
        [
            string.Concat(Enumerable.Repeat("想死不想活", 4000)), string.Concat(Enumerable.Repeat("我~想 要 去 ", 3000)), new string('死', 20_000),
            string.Concat(Enumerable.Repeat("以前现在好了药刀", 2000)), string.Concat(Enumerable.Repeat("abc 不 ", 4000)),
        ];
        foreach (var text in nasty)
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            Turns.Assessor.Assess(text);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"{watch.Elapsed} for {text[..10]}…");
        }
    }
}
