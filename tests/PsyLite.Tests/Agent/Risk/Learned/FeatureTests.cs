using PsyLite.Agent.Risk;
using PsyLite.Agent.Risk.Learned;

namespace PsyLite.Tests.Agent.Risk.Learned;

public sealed class FeatureTests
{
    private static readonly ConceptLexicon Lexicon = new("""
        # a comment
        tired: 累 好累 tired
        life: 活 活着 live_on
        both: 累
        """, text => text);

    [Fact]
    public void The_longest_word_wins_and_tells_all_its_concepts()
    {
        Assert.Equal(3, Lexicon.Count);
        Assert.Equal([0], Lexicon.Match("好累啊", 0, out var length).ToArray());
        Assert.Equal(2, length);
        Assert.Equal([0, 2], Lexicon.Match("好累啊", 1, out length).ToArray());
        Assert.Equal(1, length);
        Assert.Empty(Lexicon.Match("好的", 0, out length).ToArray());
        Assert.Equal(1, length);
    }

    [Fact]
    public void Latin_words_match_whole_words_only()
    {
        Assert.Equal([0], Lexicon.Match("tired", 0, out _).ToArray());
        Assert.Empty(Lexicon.Match("tiredness", 0, out _).ToArray());
        Assert.Empty(Lexicon.Match("untired", 2, out _).ToArray());
        Assert.Equal([1], Lexicon.Match("i live on here", 2, out var length).ToArray());
        Assert.Equal(7, length);
    }

    [Fact]
    public void A_lexicon_line_without_a_name_is_refused() =>
        Assert.Contains("name", Assert.Throws<FormatException>(() => new ConceptLexicon("累 好累", t => t)).Message);

    [Fact]
    public void Every_feature_lies_within_the_text_and_the_same_text_gives_the_same_ones()
    {
        foreach (var text in new[] { "", "累", "活着好累，不想说话。", new string('哈', 900), "a1b2 😀\n\n活着", "活 着 好 累" })
        {
            var (first, second) = (Read(text), Read(text));
            Assert.Equal(first, second);
            Assert.All(first, f => Assert.InRange(f.Position, 0, Math.Max(0, text.Length - 1)));
        }
    }

    [Fact]
    public void Digits_are_alike_and_long_laughter_is_no_longer_than_three()
    {
        Assert.Equal(Read("住3楼").Select(f => f.Hash), Read("住9楼").Select(f => f.Hash));
        Assert.Equal(Read("哈哈哈").Select(f => f.Hash).Distinct(), Read("哈哈哈哈哈哈哈").Select(f => f.Hash).Distinct());
        Assert.NotEqual(Read("哈哈").Select(f => f.Hash).Distinct(), Read("哈哈哈").Select(f => f.Hash).Distinct());
    }

    [Fact]
    public void Concepts_close_together_make_a_pair_whatever_stands_between()
    {
        var near = Read("活着，真的累").Select(f => f.Hash).ToHashSet();
        var other = Read("活呀呀呀好累").Select(f => f.Hash).ToHashSet();
        var far = Read("活着" + new string('呀', 30) + "累").Select(f => f.Hash).ToHashSet();
        var pair = near.Intersect(other).Except(Read("活着").Select(f => f.Hash)).Except(Read("累").Select(f => f.Hash)).ToList();
        Assert.NotEmpty(pair);
        Assert.DoesNotContain(pair, far.Contains);
    }

    [Fact]
    public void Rule_outcomes_differ_by_rule_and_outcome()
    {
        var hashes = new[] { MessageFeatures.Rule("T2.a", Tier.T2), MessageFeatures.Rule("T2.a", Tier.T1), MessageFeatures.Rule("T2.a", null), MessageFeatures.Rule("T2.b", Tier.T2) };
        Assert.Equal(4, hashes.Distinct().Count());
    }

    [Theory]
    [InlineData("短短一句话")]
    [InlineData("")]
    public void A_short_text_is_one_window(string text) => Assert.Equal([(0, text.Length)], Windows(text));

    [Fact]
    public void Windows_are_whole_clauses_that_fit_and_leave_nothing_out()
    {
        var random = new Random(7);
        for (var round = 0; round < 500; round++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(1, 300)).Select(_ => random.Next(8) switch { 0 => '，', 1 => '。', 2 => ' ', _ => (char)random.Next('一', '七') })]);
            text = text.Replace('，', ',');
            var windows = Windows(text);
            var covered = new bool[text.Length];
            foreach (var (start, end) in windows)
            {
                Assert.True(start >= 0 && end <= text.Length && start < end, $"[{start}, {end}) of {text.Length}");
                Assert.True(text.Length <= Clauses.WindowLength || end - start <= Clauses.WindowLength, $"{end - start} characters");
                covered.AsSpan(start, end - start).Fill(true);
            }

            Assert.All(Enumerable.Range(0, text.Length).Where(i => !covered[i]), i => Assert.True(Clauses.IsBreak(text[i]), $"'{text[i]}' at {i} of {text}"));
        }
    }

    private static List<(int Start, int End)> Windows(string text)
    {
        var windows = new List<(int, int)>();
        Clauses.Windows(text, windows);
        return windows;
    }

    private static List<(int Position, uint Hash)> Read(string text)
    {
        var sink = new Sink([]);
        new MessageFeatures(Lexicon).Read(text, ref sink);
        return sink.Found;
    }

    private readonly struct Sink(List<(int Position, uint Hash)> found) : IFeatureSink
    {
        public List<(int Position, uint Hash)> Found => found;

        public void Add(int position, uint hash) => found.Add((position, hash));
    }
}
