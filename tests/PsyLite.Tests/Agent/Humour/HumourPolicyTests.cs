using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Humour;

/// <summary>One test for each clause of the policy.</summary>
public sealed class HumourPolicyTests
{
    private const string Good = "今天升职了，太开心啦哈哈";
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly Assessment Happy = new(Route.Happy, Tier.T0, 0.01, [], ["升职", "太开心"]);
    private static readonly Assessment Plain = new(Route.Normal, Tier.T0, 0.01, [], []);

    [Fact]
    public void A_good_day_is_offered_a_piece() => Assert.Equal(HumourDecision.Offer, Decide(new ConversationState { Turns = 1 }));

    [Theory]
    [InlineData(20, 8, HumourDecision.AfterWorry)]
    [InlineData(21, 6, HumourDecision.AfterWorry)]
    [InlineData(21, 8, HumourDecision.Offer)]
    internal void After_worry_twenty_turns_and_seven_days_pass(int turns, int days, HumourDecision expected) =>
        Assert.Equal(expected, Decide(new ConversationState { Turns = 10 + turns, LastRiskTurn = 10, LastRiskAt = Now.AddDays(-days) }));

    [Theory]
    [InlineData(29, HumourDecision.AfterDanger)]
    [InlineData(31, HumourDecision.Offer)]
    internal void After_danger_thirty_days_pass(int days, HumourDecision expected) => Assert.Equal(expected, Decide(new ConversationState
    {
        Turns = 100,
        LastRiskTurn = 10,
        LastRiskAt = Now.AddDays(-days),
        LastDangerAt = Now.AddDays(-days),
    }));

    [Theory]
    [InlineData("好绝望，看不到希望", 8, false)]
    [InlineData("活着真没意思，想死", 8, true)]
    [InlineData("活着真没意思，想死", 29, true)]
    [InlineData("爸爸喝酒就打我，我想逃", 29, true)]
    public async Task The_cool_down_runs_on_the_clock_of_the_conversation(string risk, int days, bool mustStillBeQuiet)
    {
        var time = new ManualTime();
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("好。"), time: time);
        await pipeline.AskAsync(risk, state);
        for (var turn = 0; turn < 25; turn++)
        {
            Assert.Null((await pipeline.AskAsync("今天下雨了", state)).Crosstalk);
        }

        time.Pass(TimeSpan.FromDays(days));
        state.ClearedByPerson();
        var offered = (await pipeline.AskAsync(Good, state)).Crosstalk is not null;
        Assert.Equal(!mustStillBeQuiet, offered);
    }

    [Theory]
    [InlineData("我不想活了，药已经买好了")]
    [InlineData("抱着孩子想一起走")]
    public async Task After_a_plan_or_danger_to_others_only_a_person_lifts_the_silence(string risk)
    {
        var time = new ManualTime();
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("好。"), time: time);
        await pipeline.AskAsync(risk, state);
        time.Pass(TimeSpan.FromDays(400));
        state.Turns += 400;
        Assert.Null((await pipeline.AskAsync(Good, state)).Crosstalk);
        Assert.Equal(HumourDecision.AwaitsPerson, HumourPolicy.Decide(new TurnRequest(Turns.Say(Good), state), Happy, time.GetUtcNow().AddDays(400)));

        state.ClearedByPerson();
        time.Pass(TimeSpan.FromDays(31));
        state.Turns += 30;
        Assert.NotNull((await pipeline.AskAsync(Good, state)).Crosstalk);
    }

    [Fact]
    public void Never_in_a_turn_at_risk_or_with_a_failed_judge()
    {
        var request = new TurnRequest(Turns.Say(Good), new ConversationState { Turns = 1 });
        Assert.Equal(HumourDecision.RiskNow, HumourPolicy.Decide(request, Happy with { Tier = Tier.T1 }, Now));
        Assert.Equal(HumourDecision.RiskNow, HumourPolicy.Decide(request, Happy with { Route = Route.Danger }, Now));
    }

    [Theory]
    [InlineData("什么都没意义，活着好累", Good)]
    [InlineData("我快撑不住了", Good)]
    [InlineData("今天下雨了", "终于想通了，太开心了哈哈")]
    [InlineData("今天下雨了", "再也不用痛苦了，好开心好高兴")]
    public void Sudden_cheer_after_hopelessness_is_no_occasion(string before, string newest) =>
        Assert.Equal(HumourDecision.SuddenCheer, Decide(new ConversationState { Turns = 2 }, Turns.Say(before, "我在听。", newest)));

    [Fact]
    public void Two_pieces_are_the_most_and_five_turns_apart()
    {
        Assert.Equal(HumourDecision.TooSoon, Decide(new ConversationState { Turns = 9, LastCrosstalkTurn = 5, OfferedCrosstalk = { "a" } }));
        Assert.Equal(HumourDecision.Offer, Decide(new ConversationState { Turns = 10, LastCrosstalkTurn = 5, OfferedCrosstalk = { "a" } }));
        Assert.Equal(HumourDecision.EnoughForToday, Decide(new ConversationState { Turns = 90, LastCrosstalkTurn = 5, OfferedCrosstalk = { "a", "b" } }));
    }

    [Theory]
    [InlineData("奶奶去世一年了，不过今天升职了好开心")]
    [InlineData("化疗结束了，太开心了")]
    [InlineData("以前爸爸打我，今天拿奖了好高兴")]
    [InlineData("小时候被霸凌过，今天毕业了好开心")]
    public void Never_near_grief_illness_or_abuse(string text)
    {
        Assert.Equal(HumourDecision.GriefIllnessOrAbuse, Decide(new ConversationState { Turns = 1 }, Turns.Say(text)));
        Assert.Equal(HumourDecision.GriefIllnessOrAbuse, Decide(new ConversationState { Turns = 2 }, Turns.Say(text, "嗯。", Good)));
    }

    [Fact]
    public void Minors_hear_none_after_any_risk_however_long_ago()
    {
        ConversationState Past() => new() { Turns = 100, LastRiskTurn = 1, LastRiskAt = Now.AddDays(-400) };
        Assert.Equal(HumourDecision.Offer, Decide(Past()));
        Assert.Equal(HumourDecision.MinorAfterRisk, HumourPolicy.Decide(new TurnRequest(Turns.Say(Good), Past()) { IsMinor = true }, Happy, Now));
        Assert.Equal(HumourDecision.MinorAfterRisk, Decide(Past(), Turns.Say("我今年14岁，初二", "嗯。", Good)));
        Assert.Equal(HumourDecision.Offer, HumourPolicy.Decide(new TurnRequest(Turns.Say(Good), new ConversationState { Turns = 1 }) { IsMinor = true }, Happy, Now));
    }

    [Fact]
    public void Never_when_it_was_turned_off() => Assert.Equal(
        HumourDecision.TurnedOff,
        HumourPolicy.Decide(new TurnRequest(Turns.Say("来段相声"), new ConversationState()) { HumourAllowed = false }, Happy, Now));

    [Theory]
    [InlineData(HumourDecision.TooFewSigns)]
    [InlineData(HumourDecision.TooFewSigns, "升职")]
    [InlineData(HumourDecision.TooFewSigns, "!", "啦", "哈哈哈")]
    [InlineData(HumourDecision.Offer, "升职", "!")]
    [InlineData(HumourDecision.Offer, "升职", "judge")]
    internal void Two_signs_of_good_mood_are_needed(HumourDecision expected, params string[] evidence) =>
        Assert.Equal(expected, HumourPolicy.Decide(new TurnRequest(Turns.Say("下班了"), new ConversationState { Turns = 1 }), Happy with { HappyEvidence = evidence }, Now));

    [Theory]
    [InlineData("来段相声")]
    [InlineData("给我讲个笑话吧")]
    [InlineData("逗我笑一下")]
    [InlineData("tell me a joke")]
    public void Who_asks_for_a_piece_needs_no_other_sign(string asks)
    {
        Assert.Equal(HumourDecision.Offer, HumourPolicy.Decide(new TurnRequest(Turns.Say(asks), new ConversationState { Turns = 1 }), Plain, Now));
        Assert.Equal(HumourDecision.AfterWorry, HumourPolicy.Decide(
            new TurnRequest(Turns.Say(asks), new ConversationState { Turns = 3, LastRiskTurn = 2, LastRiskAt = Now }), Plain, Now));
    }

    [Theory]
    [InlineData("别逗了")]
    [InlineData("不想听相声了")]
    [InlineData("一点都不好笑")]
    [InlineData("别再给我发笑话了")]
    [InlineData("我现在没心情听")]
    public async Task One_word_ends_it_until_it_is_wanted_again(string refusal)
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("好。"));
        await pipeline.AskAsync(refusal, state);
        for (var turn = 0; turn < 8; turn++)
        {
            Assert.Null((await pipeline.AskAsync(Good, state)).Crosstalk);
        }

        Assert.NotNull((await pipeline.AskAsync("来段相声吧", state)).Crosstalk);
    }

    [Fact]
    public async Task A_refusal_in_a_history_without_state_counts_and_so_does_a_later_wish()
    {
        var pipeline = Turns.Pipeline(new FakeModel("好。"));
        var refused = Turns.Say("别逗了", "好的。", Good);
        Assert.Null(Turns.Result(await pipeline.EventsAsync(new TurnRequest(refused, new ConversationState()))).Crosstalk);
        var wanted = Turns.Say("别逗了", "好的。", "可以再讲笑话了", "好。", Good);
        Assert.NotNull(Turns.Result(await pipeline.EventsAsync(new TurnRequest(wanted, new ConversationState()))).Crosstalk);
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

    private static HumourDecision Decide(ConversationState state, IReadOnlyList<ChatMessage>? messages = null) =>
        HumourPolicy.Decide(new TurnRequest(messages ?? Turns.Say(Good), state), Happy, Now);
}
