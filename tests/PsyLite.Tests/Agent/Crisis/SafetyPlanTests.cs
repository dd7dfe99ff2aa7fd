using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Crisis;

public sealed class SafetyPlanTests
{
    private static readonly string[] Steps = ["第一步", "第二步", "第三步", "第四步", "第五步", "最后一步"];

    [Fact]
    public async Task A_plan_is_offered_once_the_person_has_answered_and_written_step_by_step()
    {
        var (state, say) = Talk();
        await say("我不想活了");
        Assert.DoesNotContain("安全计划", await say("嗯"));
        Assert.Matches("计划|提前写下来", await say("外面下雨了"));
        string[] answers = ["好的", "整夜睡不着", "去楼下走一圈", "图书馆", "我妈 微信", "学校的心理老师", "把药交给室友"];
        var replies = new List<string>();
        foreach (var answer in answers)
        {
            replies.Add(await say(answer));
        }

        Assert.All(Steps.Zip(replies), pair => Assert.Contains(pair.First, pair.Second));
        Assert.All(replies, r => Assert.Equal(1, PresetGrades.Unquoted(r).Count(c => c == '？')));
        var plan = replies[^1];
        Assert.All(answers.Skip(1), a => Assert.Contains(a, plan));
        Assert.Contains("12356", plan);
        Assert.Equal(PlanStage.Done, state.Plan.Stage);
    }

    [Fact]
    public async Task A_plan_can_be_shown_revised_skipped_gone_back_in_left_and_taken_up_again()
    {
        var (state, say) = Talk();
        Assert.Contains("第一步", await say("我想写一个安全计划"));
        Assert.Contains("第二步", await say("不回消息"));
        Assert.Contains("第三步", await say("跳过"));
        Assert.False(state.Plan.Answers.ContainsKey(PlanStep.Coping));
        Assert.Contains("第二步", await say("上一步"));
        Assert.Contains("提前写好", await say("为什么要写这个？"));
        Assert.Contains("第三步", await say("听一首歌"));
        Assert.Contains("不回消息", await say("看看"));
        Assert.Contains("先停在这里", await say("不想写了"));
        Assert.Equal(PlanStage.Left, state.Plan.Stage);
        Assert.Contains("听一首歌", await say("看看我的计划"));
        Assert.Contains("第三步", await say("继续写计划"));
        foreach (var answer in new[] { "便利店", "表姐", "没有", "剪刀放到柜子里" })
        {
            await say(answer);
        }

        Assert.Equal(PlanStage.Done, state.Plan.Stage);
        Assert.Contains("第二步", await say("改一下计划的第2步"));
        Assert.Contains("去跑步", await say("去跑步"));
        Assert.Equal((PlanStage.Done, "去跑步"), (state.Plan.Stage, state.Plan.Answers[PlanStep.Coping]));
    }

    [Theory]
    [InlineData("我刚吞了一整瓶安眠药", Tier.T4)]
    [InlineData("算了，我今晚就去跳楼", Tier.T3)]
    [InlineData("我不想活了", Tier.T2)]
    public async Task Danger_interrupts_at_any_step_and_the_plan_is_kept(string danger, Tier tier)
    {
        for (var step = 0; step < 6; step++)
        {
            var (state, say) = Talk();
            await say("我想写一个安全计划");
            for (var i = 0; i < step; i++)
            {
                await say("散步");
            }

            var result = await say(danger);
            Assert.Equal(tier, state.Tier);
            Assert.Contains("120", result);
            Assert.Equal(PlanStage.Left, state.Plan.Stage);
            Assert.Equal(step, state.Plan.Answers.Count);
        }
    }

    [Fact]
    public async Task The_first_step_may_be_answered_with_the_despair_that_is_known()
    {
        var (state, say) = Talk();
        await say("我不想活了");
        await say("嗯");
        await say("外面下雨了");
        await say("好的");
        Assert.Contains("第二步", await say("觉得活着没意思，想死"));
        Assert.Equal("觉得活着没意思，想死", state.Plan.Answers[PlanStep.Signs]);
        Assert.Equal(Tier.T2, state.Tier);
    }

    [Theory]
    [InlineData("不用了")]
    [InlineData("不想写")]
    [InlineData("no thanks")]
    public async Task An_offer_that_is_declined_is_not_made_again(string no)
    {
        var (state, say) = Talk();
        await say("我不想活了");
        await say("嗯");
        await say("外面下雨了");
        await say(no);
        Assert.Equal(PlanStage.Left, state.Plan.Stage);
        for (var turn = 0; turn < 6; turn++)
        {
            Assert.DoesNotContain("要现在开始写吗", await say("我不想活了"));
        }
    }

    [Fact]
    public async Task After_denial_the_offer_comes_under_the_models_reply()
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("听起来缓下来一点。"));
        await pipeline.AskAsync("我不想活了", state);
        var reply = (await pipeline.AskAsync("我没事了，别担心", state)).Reply;
        Assert.StartsWith("听起来缓下来一点。\n\n", reply);
        Assert.Equal(PlanStage.Offered, state.Plan.Stage);
        Assert.Contains("第一步", (await pipeline.AskAsync("好", state)).Reply);
    }

    [Fact]
    public async Task A_caller_without_a_state_loses_no_plan()
    {
        var pipeline = Turns.Pipeline(null);
        var messages = new List<Microsoft.Extensions.AI.ChatMessage>();
        var reply = "";
        var state = new ConversationState();
        foreach (var said in new[] { "我不想活了", "嗯", "外面下雨了", "好的", "睡不着", "听歌", "跳过", "表姐", "没有", "剪刀放柜子里" })
        {
            messages.Add(new(Microsoft.Extensions.AI.ChatRole.User, said));
            state = new ConversationState();
            reply = Turns.Result(await pipeline.EventsAsync(new TurnRequest([.. messages], state))).Reply;
            messages.Add(new(Microsoft.Extensions.AI.ChatRole.Assistant, reply));
        }

        Assert.Equal(PlanStage.Done, state.Plan.Stage);
        Assert.All(new[] { "睡不着", "听歌", "表姐", "剪刀" }, a => Assert.Contains(a, reply));
        Assert.Equal(messages.Count / 2, messages.Where((_, i) => i % 2 == 1).Select(m => m.Text).Distinct().Count());
    }

    [Theory]
    [InlineData("我想写安全計畫", "zh-TW", "第一步，先認出訊號")]
    [InlineData("想寫個安全計劃", "yue", "先認信號")]
    [InlineData("I want to write a safety plan", "en", "Step one")]
    public async Task A_plan_is_written_in_the_persons_language(string said, string language, string words)
    {
        var events = await Turns.Pipeline(null).EventsAsync(new TurnRequest(Turns.Say(said), new ConversationState()) { Language = language });
        Assert.Matches($"{words}|第一步是", Turns.Result(events).Reply);
    }

    [Fact]
    public async Task What_a_person_writes_is_never_read_as_a_placeholder()
    {
        var (_, say) = Talk();
        await say("我想写一个安全计划");
        await say("{line} 和 {plan}");
        var shown = await say("看看");
        Assert.Contains("{line} 和 {plan}", shown);
    }

    private static (ConversationState State, Func<string, Task<string>> Say) Talk()
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(null);
        return (state, async text => (await pipeline.AskAsync(text, state)).Reply);
    }
}
