using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Crisis;

/// <summary>The day after, the helper's next turns, and what is left when parts are missing.</summary>
public sealed class CareFaultTests
{
    [Theory]
    [InlineData("我不想活了", "嗯")]
    [InlineData("我不想活了，药已经买好了", "我来了")]
    [InlineData("爸爸喝酒就打我，我想逃", "今天下雨")]
    public async Task The_first_turn_of_the_next_day_asks_how_the_person_came_through_and_only_the_first(string danger, string next)
    {
        var clock = new ManualTime();
        var pipeline = Turns.Pipeline(new FakeModel("好的。"), time: clock);
        var state = new ConversationState();
        await pipeline.AskAsync(danger, state);
        clock.Pass(TimeSpan.FromHours(19));
        Assert.DoesNotContain("上次", (await pipeline.AskAsync(next, state)).Reply);
        clock.Pass(TimeSpan.FromHours(20));
        Assert.Contains("上次", (await pipeline.AskAsync(next, state)).Reply);
        Assert.DoesNotContain("上次", (await pipeline.AskAsync(next, state)).Reply);
    }

    [Fact]
    public async Task When_danger_is_over_the_question_of_the_next_day_comes_under_the_reply()
    {
        var clock = new ManualTime();
        var pipeline = Turns.Pipeline(new FakeModel("晚饭吃什么都好。"), time: clock);
        var state = new ConversationState();
        await pipeline.AskAsync("我不想活了", state);
        await pipeline.AskAsync("我没事了，别担心", state);
        clock.Pass(TimeSpan.FromHours(30));
        var reply = (await pipeline.AskAsync("晚饭吃什么好", state)).Reply;
        Assert.StartsWith("晚饭吃什么都好。\n\n", reply);
        Assert.Contains("上次", reply);
        Assert.Equal("晚饭吃什么都好。", (await pipeline.AskAsync("晚饭吃什么好", state)).Reply);
    }

    [Fact]
    public async Task New_danger_the_next_day_is_answered_first()
    {
        var clock = new ManualTime();
        var pipeline = Turns.Pipeline(null, time: clock);
        var state = new ConversationState();
        await pipeline.AskAsync("我不想活了", state);
        clock.Pass(TimeSpan.FromHours(30));
        Assert.Contains("120", (await pipeline.AskAsync("我刚吞了一整瓶安眠药", state)).Reply[..30]);
    }

    [Fact]
    public async Task A_clock_that_jumps_back_loses_no_crisis_text_and_tells_no_joke()
    {
        var clock = new ManualTime();
        var pipeline = Turns.Pipeline(new FakeModel("好的。"), time: clock);
        var state = new ConversationState();
        await pipeline.AskAsync("我不想活了", state);
        foreach (var jump in new[] { -1, -400, 3, -5000 })
        {
            clock.Pass(TimeSpan.FromDays(jump));
            var result = await pipeline.AskAsync("今天升职了，太开心啦哈哈", state);
            Assert.Null(result.Crosstalk);
            Assert.False(string.IsNullOrWhiteSpace(result.Reply));
            Assert.Matches("12356|120", (await pipeline.AskAsync("我不想活了，药已经买好了", state)).Reply);
        }
    }

    [Fact]
    public async Task A_helper_is_led_on_turn_by_turn()
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(new FakeModel("模型的话。"));
        async Task<string> Say(string text) => (await pipeline.AskAsync(text, state)).Reply;
        Assert.Contains("对方", await Say("室友说不想活我怎么帮她"));
        Assert.Contains("开口", await Say("那我该怎么说呢"));
        Assert.Contains("秘密可以破", await Say("她让我保密，不让我告诉别人"));
        Assert.Contains("收好", await Say("她桌上有很多药"));
        Assert.Contains("轮流", await Say("我现在陪着她"));
        Assert.Contains("不是你一个人的责任", await Say("我自己也好累，是不是我的错"));
        Assert.Equal("模型的话。", await Say("明天要去体检"));
    }

    [Theory]
    [InlineData("她刚吃了很多药，叫不醒")]
    [InlineData("他现在站在天台上")]
    [InlineData("联系不上他了")]
    public async Task When_the_friend_is_in_acute_danger_the_ambulance_comes_first(string text)
    {
        var state = new ConversationState();
        var pipeline = Turns.Pipeline(null);
        await pipeline.AskAsync("室友说不想活我怎么帮她", state);
        var reply = (await pipeline.AskAsync(text, state)).Reply;
        Assert.Contains("120", reply[..Math.Min(80, reply.Length)]);
    }

    public static TheoryData<string> Broken => ["no presets", "presets damaged", "hotlines damaged", "both", "null state", "empty contact"];

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task Whatever_is_missing_there_are_words_that_help(string fault)
    {
        var hotlines = fault is "hotlines damaged" or "both" ? new HotlineDirectory("lines: [") : new HotlineDirectory();
        var texts = fault switch
        {
            "no presets" or "both" => new PresetTexts(hotlines, []),
            "presets damaged" => new PresetTexts(hotlines, ["T2: [", "T3: 4", "a:\n  zh-CN:\n    - [x]"]),
            _ => new PresetTexts(hotlines),
        };
        var pipeline = new TurnPipeline(null, null, Turns.Assessor, CrosstalkLibrary.Empty, Turns.Quick with { CanReachContact = true }, null, null, null, texts);
        foreach (var text in new[] { "我不想活了", "我不想活了，药已经买好了", "我刚吞了一整瓶安眠药", "抱着孩子想一起走", "爸爸喝酒就打我，我想逃", "嗯" })
        {
            var state = fault == "null state" ? null! : new ConversationState { Contact = fault == "empty contact" ? new EmergencyContact(" ", null!) : null };
            var result = Turns.Result(await pipeline.EventsAsync(new TurnRequest(Turns.Say("我不想活了", "…", text), state)));
            Assert.Equal(Route.Danger, result.Assessment.Route);
            Assert.Matches("人|大人", result.Reply);
            Assert.Matches("120|紧急电话|110", result.Reply);
            Assert.DoesNotContain("{", result.Reply);
            Assert.Equal(1, PresetGrades.Unquoted(result.Reply).Count(c => c == '？'));
        }
    }

    [Fact]
    public void The_last_words_have_no_red_fault_but_the_numbers_they_cannot_know()
    {
        foreach (var language in new[] { "zh-CN", "zh-TW", "yue", "en" })
        {
            var grade = PresetGrades.Grade("last", "T2", language, PresetTexts.LastWords(language));
            Assert.Equal(["no resource that is open day and night"], grade.Reds);
        }
    }
}
