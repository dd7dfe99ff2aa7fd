using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Risk;

/// <summary>Risk is carried from turn to turn and comes down slowly.</summary>
public sealed class RiskCarryTests
{
    [Theory]
    [InlineData("嗯")]
    [InlineData("都行")]
    [InlineData("……")]
    [InlineData("随便吧")]
    public async Task A_short_answer_after_risk_is_still_risk(string text) =>
        Assert.Equal([Tier.T2, Tier.T2], await TiersAsync("我不想活了", text));

    [Fact]
    public async Task Denial_lowers_by_one_tier_at_most()
    {
        Assert.Equal([Tier.T2, Tier.T1], await TiersAsync("我不想活了", "我没事了，别担心"));
        Assert.Equal([Tier.T3, Tier.T3, Tier.T3], await TiersAsync("遗书我写好了", "开玩笑的啦", "真的没事了"));
        Assert.Equal([Tier.T4, Tier.T3, Tier.T3], await TiersAsync("我刚吞了一整瓶安眠药", "没事了，骗你的", "放心，没事了"));
    }

    [Fact]
    public async Task Plan_and_means_stay_until_a_person_clears_them()
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("好的。"));
        await pipeline.AskAsync("药已经攒够了，我不想活了", state);
        for (var turn = 0; turn < 30; turn++)
        {
            Assert.Equal(Route.Danger, (await pipeline.AskAsync($"今天吃了第{turn}碗面", state)).Assessment.Route);
        }

        Assert.True(state.AwaitsClearing);
        state.ClearedByPerson();
        Assert.NotEqual(Route.Danger, (await pipeline.AskAsync("今天去散步了", state)).Assessment.Route);
    }

    [Fact]
    public async Task Ideation_comes_down_after_calm_turns_and_not_before() =>
        Assert.Equal(
            [Tier.T2, Tier.T2, Tier.T2, Tier.T1, Tier.T1, Tier.T1, Tier.T0],
            await TiersAsync("我不想活了", "今天外面下雨", "晚饭吃了牛肉面", "在看一本小书", "刚刚洗了个澡", "楼下的猫叫了", "明天要早起上班"));

    [Fact]
    public async Task A_new_sign_starts_the_count_again() =>
        Assert.Equal([Tier.T2, Tier.T2, Tier.T2, Tier.T2, Tier.T2], await TiersAsync("我不想活了", "今天外面下雨", "真的好绝望", "晚饭吃了牛肉面", "在看一本小书"));

    [Fact]
    public async Task Sudden_cheer_after_risk_is_checked_not_celebrated()
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("好的。"));
        await pipeline.AskAsync("我不想活了", state);
        var result = await pipeline.AskAsync("哈哈突然好开心啊，太好了！", state);
        Assert.Equal(Route.Danger, result.Assessment.Route);
        Assert.Null(result.Crosstalk);
    }

    [Fact]
    public async Task The_same_hopelessness_for_the_third_time_is_more_than_a_mood() =>
        Assert.Equal([Tier.T1, Tier.T1, Tier.T2], await TiersAsync("看不到希望了", "还是看不到希望", "看不到希望了"));

    [Fact]
    public void A_history_without_a_state_is_read_again()
    {
        var verdict = Turns.Assessor.Assess(Turns.Say("我不想活了", "我在听。", "嗯"));
        Assert.Equal((Route.Danger, Tier.T2), (verdict.Route, verdict.Tier));
        Assert.True(verdict.Score >= 0.5);
    }

    [Fact]
    public void What_an_assistant_said_is_no_sign_of_the_persons_state()
    {
        var verdict = Turns.Assessor.Assess(Turns.Say("你好", "你是不是有不想活的念头？", "没有啊，就是来聊聊"));
        Assert.Equal(Route.Normal, verdict.Route);
    }

    [Fact]
    public async Task History_without_a_state_fills_the_state()
    {
        var state = new ConversationState();
        var request = new TurnRequest(Turns.Say("我不想活了", "我在听。", "今天天气不错", "嗯嗯。", "中午吃了面"), state);
        await Turns.Pipeline(new FakeModel("好的。")).EventsAsync(request);
        Assert.Equal(3, state.Turns);
        Assert.Equal(Tier.T2, state.Tier);
        Assert.NotNull(state.LastDangerAt);
    }

    [Fact]
    public void Assessing_does_not_change_the_state()
    {
        var state = new ConversationState { Turns = 1 };
        Turns.Assessor.Assess(Turns.Say("我不想活了"), state);
        Assert.Equal((Tier.T0, 1, null), (state.Tier, state.Turns, state.LastRiskAt));
    }

    [Fact]
    public async Task The_next_turn_asks_whether_someone_was_reached_and_says_it_in_other_words()
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(null);
        var replies = new List<string>();
        foreach (var text in new[] { "我不想活了", "嗯", "不知道", "唉", "随便" })
        {
            replies.Add((await pipeline.AskAsync(text, state)).Reply);
        }

        Assert.Equal(replies.Count, replies.Distinct().Count());
        Assert.Matches("联系上|有人知道|有人陪|发出去", string.Concat(replies.Skip(1)));
    }

    [Theory]
    [InlineData("我给我妈打了电话，她在来的路上", "T2.contact")]
    [InlineData("没有人可以找", "T2.refusal")]
    [InlineData("我会给朋友打个电话", "T2.intend")]
    [InlineData("嗯，我现在就叫我妈过来", "T2.intend")]
    [InlineData("好，我试着打一下12356", "T2.intend")]
    [InlineData("我不会给朋友打电话的", "T2.refusal")]
    [InlineData("我给朋友打过了，她马上来", "T2.contact")]
    [InlineData("我会打给我妈，可是没人接", "T2.refusal")]
    [InlineData("我该给朋友打电话吗？", "T2.other")]
    [InlineData("嗯", "T2.other")]
    public void Follow_ups_fit_the_answer(string answer, string family)
    {
        var verdict = Turns.Assessor.Judge([new ChatMessage(ChatRole.User, answer)], new ConversationState { Turns = 1, Tier = Tier.T2 });
        Assert.Equal(family, PsyLite.Agent.Crisis.CrisisReplies.Family(verdict));
    }

    private static async Task<List<Tier>> TiersAsync(params string[] texts)
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("好的。"));
        var tiers = new List<Tier>();
        foreach (var text in texts)
        {
            tiers.Add((await pipeline.AskAsync(text, state)).Assessment.Tier);
        }

        return tiers;
    }
}
