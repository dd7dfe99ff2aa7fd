using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Humour;

public sealed class HumourTests
{
    private const string Good = "今天升职了，太开心啦哈哈";
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly Assessment Happy = new(Route.Happy, Tier.T0, 0.01, [], ["升职"]);

    [Fact]
    public void A_good_day_allows_a_piece() => Assert.True(Allows(new ConversationState { Turns = 1 }));

    [Theory]
    [InlineData(20, 8, false)]
    [InlineData(21, 6, false)]
    [InlineData(21, 8, true)]
    public void After_worry_twenty_turns_and_seven_days_pass(int turns, int days, bool allowed) =>
        Assert.Equal(allowed, Allows(new ConversationState { Turns = 10 + turns, LastRiskTurn = 10, LastRiskAt = Now.AddDays(-days) }));

    [Theory]
    [InlineData(29, false)]
    [InlineData(31, true)]
    public void After_danger_thirty_days_pass(int days, bool allowed) => Assert.Equal(allowed, Allows(new ConversationState
    {
        Turns = 100,
        LastRiskTurn = 10,
        LastRiskAt = Now.AddDays(-days),
        LastDangerAt = Now.AddDays(-days),
    }));

    [Fact]
    public void Until_a_person_has_cleared_a_plan_there_is_none() =>
        Assert.False(Allows(new ConversationState { Turns = 500, LastRiskTurn = 1, LastRiskAt = Now.AddDays(-400), LastDangerAt = Now.AddDays(-400), AwaitsClearing = true }));

    [Fact]
    public void Two_pieces_are_the_most_and_five_turns_apart()
    {
        Assert.False(Allows(new ConversationState { Turns = 9, LastCrosstalkTurn = 5, OfferedCrosstalk = { "a" } }));
        Assert.True(Allows(new ConversationState { Turns = 10, LastCrosstalkTurn = 5, OfferedCrosstalk = { "a" } }));
        Assert.False(Allows(new ConversationState { Turns = 90, LastCrosstalkTurn = 5, OfferedCrosstalk = { "a", "b" } }));
    }

    [Theory]
    [InlineData("奶奶去世一年了，不过今天升职了好开心")]
    [InlineData("化疗结束了，太开心了")]
    [InlineData("以前爸爸打我，今天拿奖了好高兴")]
    public void Never_near_grief_illness_or_abuse(string text) =>
        Assert.False(HumourPolicy.Allows(new TurnRequest(Turns.Say(text), new ConversationState { Turns = 1 }), Happy, Now));

    [Fact]
    public void Never_when_it_was_turned_off() =>
        Assert.False(HumourPolicy.Allows(new TurnRequest(Turns.Say(Good), new ConversationState()) { HumourAllowed = false }, Happy, Now));

    [Theory]
    [InlineData("别逗了")]
    [InlineData("不想听相声了")]
    [InlineData("一点都不好笑")]
    public async Task One_word_ends_it_for_the_conversation(string refusal)
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("好。"));
        await pipeline.AskAsync(refusal, state);
        for (var turn = 0; turn < 8; turn++)
        {
            Assert.Null((await pipeline.AskAsync(Good, state)).Crosstalk);
        }
    }

    [Fact]
    public async Task A_conversation_gets_two_different_pieces_at_most()
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("好。"));
        var pieces = new List<CrosstalkPiece>();
        for (var turn = 0; turn < 20; turn++)
        {
            if ((await pipeline.AskAsync(Good, state)).Crosstalk is { } piece)
            {
                pieces.Add(piece);
            }
        }

        Assert.Equal(2, pieces.Count);
        Assert.Equal(2, pieces.Distinct().Count());
    }

    [Fact]
    public void The_piece_fits_the_persons_own_words()
    {
        var library = new CrosstalkLibrary([Piece("a", "猫大爷", "养猫"), Piece("b", "电梯汇报", "升职"), Piece("c", "考驾照", "驾照")]);
        Assert.Equal("b", library.Find("今天终于升职了", "", new HashSet<string>())!.Id);
        Assert.Equal("c", library.Find("驾照拿到啦", "", new HashSet<string>())!.Id);
        Assert.NotEqual("b", library.Find("今天终于升职了", "", new HashSet<string> { "b" })!.Id);
    }

    [Fact]
    public void A_piece_is_not_offered_where_it_is_unfit()
    {
        var library = new CrosstalkLibrary([Piece("a", "婚礼", "结婚") with { Unfit = ["失恋"] }]);
        Assert.Null(library.Find("朋友结婚，我好开心", "朋友结婚，我好开心，虽然刚失恋", new HashSet<string>()));
        Assert.NotNull(library.Find("朋友结婚，我好开心", "朋友结婚，我好开心", new HashSet<string>()));
    }

    [Theory]
    [InlineData("- id: a\n  title: 题\n  lines: [丙：谁, 乙：我, 甲：好, 乙：好]", "begin with")]
    [InlineData("- id: a\n  title: 题\n  lines: [甲：一, 乙：二]", "lines")]
    [InlineData("- id: a\n  title: 题\n  lines: [甲：我爷爷的葬礼, 乙：二, 甲：三, 乙：四]", "banned")]
    [InlineData("- id: a\n  lines: [甲：一, 乙：二, 甲：三, 乙：四]", "title")]
    [InlineData("- title: a", "without an id")]
    [InlineData("- [", "readable YAML")]
    [InlineData("just words", "no list")]
    [InlineData("- words", "no piece")]
    public void Unfit_files_are_refused_with_the_reason(string yaml, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => CrosstalkLibrary.Read(new StringReader(yaml), "x.yaml").ToList()).Message);

    [Fact]
    public void The_committed_pieces_pass_the_vetting()
    {
        var library = CrosstalkLibrary.FromFolder(Path.Combine(ReferenceGraphTests.Root, "corpora/crosstalk"));
        Assert.True(library.Pieces.Count >= 40, $"{library.Pieces.Count} pieces");
        Assert.Equal(library.Pieces.Count, library.Pieces.Select(p => p.Id).Distinct().Count());
        Assert.NotNull(library.Find("今天升职了，太开心啦哈哈", "", new HashSet<string>()));
    }

    [Fact]
    public void A_missing_folder_is_an_empty_library() => Assert.Empty(CrosstalkLibrary.FromFolder("/no/such/folder").Pieces);

    [Fact]
    public void Broken_yaml_is_refused_and_never_crashes()
    {
        var random = new Random(5);
        var good = "- id: a\n  title: 题\n  themes: [工作]\n  lines:\n    - 甲：一\n    - 乙：二\n    - 甲：三\n    - 乙：四\n";
        for (var run = 0; run < 2000; run++)
        {
            var text = good.ToCharArray();
            for (var k = random.Next(1, 4); k > 0; k--)
            {
                text[random.Next(text.Length)] = "-:[]{}\n \"'甲&*!|>%@"[random.Next(18)];
            }

            try
            {
                _ = CrosstalkLibrary.Read(new StringReader(new string(text)), "x.yaml").ToList();
            }
            catch (FormatException)
            {
                // A named fault is the right answer to a broken file; any other exception fails the test.
            }
        }
    }

    private static CrosstalkPiece Piece(string id, string title, string theme) =>
        new(id, title, [theme], "轻松", [], [$"甲：说说{theme}。", "乙：说吧。", "甲：好。", "乙：好。"]);

    private static bool Allows(ConversationState state) => HumourPolicy.Allows(new TurnRequest(Turns.Say(Good), state), Happy, Now);
}
