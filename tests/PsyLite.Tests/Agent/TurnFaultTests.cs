using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent;

/// <summary>Whatever breaks, a person in danger gets the preset, no one sees an exception, and no joke is told.</summary>
public sealed class TurnFaultTests
{
    public static TheoryData<string> JudgeFaults => ["throws", "throws late", "hangs", "null", "NaN", "infinite", "positive", "too few", "too many", "all impossible", "empty"];

    public static TheoryData<string> ModelFaults => ["throws first", "throws later", "hangs first", "hangs later", "empty", "blank", "unclosed think", "error content"];

    [Theory]
    [MemberData(nameof(JudgeFaults))]
    public async Task A_broken_judge_never_means_normal(string fault)
    {
        var result = await Turns.Pipeline(new FakeModel("真为你高兴。"), Judge(fault)).AskAsync("今天升职了，太开心啦哈哈");
        Assert.Equal(Route.Normal, result.Assessment.Route);
        Assert.Equal(Tier.T1, result.Assessment.Tier);
        Assert.Contains(result.Assessment.Signals, s => s.Rule == "judge.failed");
        Assert.Null(result.Crosstalk);
        Assert.Equal("真为你高兴。", result.Reply);
    }

    [Theory]
    [MemberData(nameof(JudgeFaults))]
    public async Task A_broken_judge_takes_nothing_from_a_crisis(string fault)
    {
        var result = await Turns.Pipeline(new FakeModel("x"), Judge(fault)).AskAsync("我不想活了，药已经买好了");
        Assert.Equal((Route.Danger, Tier.T3), (result.Assessment.Route, result.Assessment.Tier));
        Assert.Equal("preset", result.FinishReason);
    }

    [Fact]
    public async Task A_judge_failure_is_not_held_against_the_person()
    {
        var state = new ConversationState();
        await Turns.Pipeline(new FakeModel("嗯。"), Judge("throws")).AskAsync("今天去了趟图书馆", state);
        Assert.Equal(Tier.T0, state.Tier);
        Assert.Null(state.LastRiskAt);
    }

    [Fact]
    public async Task A_model_that_tells_no_likelihoods_counts_as_no_judge()
    {
        LabelLikelihoods none = (_, _, _) => throw new NotSupportedException("no likelihoods");
        var result = await Turns.Pipeline(new FakeModel("真好。"), none).AskAsync("今天升职了，太开心啦哈哈");
        Assert.Equal(Route.Happy, result.Assessment.Route);
    }

    [Theory]
    [MemberData(nameof(ModelFaults))]
    public async Task A_broken_model_gives_an_honest_apology_and_no_joke(string fault)
    {
        var events = await Turns.Pipeline(Model(fault)).EventsAsync(new TurnRequest(Turns.Say("今天升职了，太开心啦哈哈"), new ConversationState()));
        var result = Turns.Result(events);
        Assert.Equal("error", result.FinishReason);
        Assert.Null(result.Crosstalk);
        Assert.Equal(result.Reply, Turns.Visible(events));
        Assert.Matches("抱歉|对不起", result.Reply);
        Assert.DoesNotContain("boom", result.Reply);
        Assert.DoesNotContain("Exception", result.Reply);
        Assert.DoesNotContain("think", result.Reply);
    }

    [Fact]
    public async Task A_search_that_throws_unguarded_takes_the_joke_and_not_the_reply()
    {
        var library = new CrosstalkLibrary(Turns.Library.Pieces, new ScriptedSearch(_ => throw new InvalidOperationException("boom")));
        var pipeline = new TurnPipeline(new FakeModel("真为你高兴。"), null, Turns.Assessor, library);
        var result = await pipeline.AskAsync("今天升职了，太开心啦哈哈");
        Assert.Equal((Route.Happy, "真为你高兴。", "stop"), (result.Assessment.Route, result.Reply, result.FinishReason));
        Assert.Null(result.Crosstalk);
    }

    [Fact]
    public async Task Words_already_said_stay_when_the_model_breaks()
    {
        var result = await Turns.Pipeline(Model("throws later")).AskAsync("今天去了趟图书馆");
        Assert.StartsWith("图书馆里安安静静的，听起来是个不错的下午。", result.Reply);
    }

    [Fact]
    public async Task Without_a_model_a_worried_person_is_told_where_people_are()
    {
        var result = await Turns.Pipeline(null).AskAsync("好绝望，看不到希望");
        Assert.Equal("error", result.FinishReason);
        Assert.False(result.UsedModel);
        Assert.Contains("12356", result.Reply);
    }

    [Fact]
    public async Task A_failing_rule_book_leaves_a_bare_word_list_and_no_harmless_turn()
    {
        var messages = new List<Microsoft.Extensions.AI.ChatMessage> { new(Microsoft.Extensions.AI.ChatRole.User, "我不想活了") };
        var danger = RiskLedger.WithoutRules(new TurnRequest(messages, new ConversationState()));
        Assert.Equal(Route.Danger, danger.Assessment.Route);
        messages[0] = new(Microsoft.Extensions.AI.ChatRole.User, "今天吃了面");
        var plain = RiskLedger.WithoutRules(new TurnRequest(messages, new ConversationState()));
        Assert.Equal((Route.Normal, Tier.T1), (plain.Assessment.Route, plain.Assessment.Tier));
        var sticky = RiskLedger.WithoutRules(new TurnRequest(messages, new ConversationState { Turns = 3, Tier = Tier.T3 }));
        Assert.Equal((Route.Danger, Tier.T3), (sticky.Assessment.Route, sticky.Assessment.Tier));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task An_endless_reply_is_ended()
    {
        var pieces = Enumerable.Repeat((object)"嗯嗯，我在听。", 5000).ToArray();
        var result = await Turns.Pipeline(new FakeModel(pieces), options: new TurnOptions { LongestText = 500 }).AskAsync("今天去了趟图书馆");
        Assert.Equal("length", result.FinishReason);
        Assert.InRange(result.Reply.Length, 400, 600);
    }

    [Fact]
    public async Task Two_thousand_faulty_turns_after_risk_bring_no_joke_and_lose_no_crisis_text()
    {
        var random = new Random(7);
        string[] texts = ["我不想活了", "今天升职了，太开心啦哈哈", "嗯", "没事了", "好开心哈哈哈", "绝望", "中奖了！", "药已经买好了", "谢谢"];
        for (var run = 0; run < 200; run++)
        {
            var state = new ConversationState();
            var atRisk = false;
            for (var turn = 0; turn < 10; turn++)
            {
                var judge = random.Next(3) == 0 ? null : Judge(Pick(["throws", "NaN", "null", "too few"], random));
                var pipeline = Turns.Pipeline(random.Next(3) == 0 ? null : Model(Pick(["throws first", "throws later", "empty"], random)), judge);
                var result = await pipeline.AskAsync(texts[random.Next(texts.Length)], state);
                atRisk |= result.Assessment.Route == Route.Danger;
                Assert.False(atRisk && result.Crosstalk is not null);
                Assert.False(string.IsNullOrWhiteSpace(result.Reply));
                if (result.Assessment.Route == Route.Danger)
                {
                    Assert.Equal("preset", result.FinishReason);
                }
            }
        }
    }

    private static string Pick(string[] from, Random random) => from[random.Next(from.Length)];

    private static LabelLikelihoods Judge(string fault) => (_, labels, cancellationToken) => fault switch
    {
        "throws" => throw new InvalidOperationException("boom"),
        "throws late" => Late(),
        "hangs" => new ValueTask<IReadOnlyList<double>>(new TaskCompletionSource<IReadOnlyList<double>>().Task),
        "null" => ValueTask.FromResult<IReadOnlyList<double>>(null!),
        "NaN" => Answer(double.NaN, -1, -1),
        "infinite" => Answer(double.PositiveInfinity, -1, -1),
        "positive" => Answer(3, -1, -1),
        "too few" => Answer(-0.1, -3),
        "too many" => Answer(-0.1, -3, -3, -3),
        "all impossible" => Answer(double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity),
        _ => Answer(),
    };

    private static ValueTask<IReadOnlyList<double>> Answer(params double[] logs) => ValueTask.FromResult<IReadOnlyList<double>>(logs);

    private static async ValueTask<IReadOnlyList<double>> Late()
    {
        await Task.Yield();
        throw new TimeoutException("boom");
    }

    private static FakeModel Model(string fault) => fault switch
    {
        "throws first" => new FakeModel(new InvalidOperationException("boom")),
        "throws later" => new FakeModel("图书馆里安安静静的，听起来是个不错的下午。", new InvalidOperationException("boom")),
        "hangs first" => new FakeModel(FakeModel.Hang),
        "hangs later" => new FakeModel("图书馆里安安静静的，", FakeModel.Hang),
        "blank" => new FakeModel(" ", "\n"),
        "unclosed think" => new FakeModel("<think>我想想", "再想想"),
        "error content" => new FakeModel(new Microsoft.Extensions.AI.ErrorContent("boom")),
        _ => new FakeModel(),
    };
}
