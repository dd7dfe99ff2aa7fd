using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;
using PsyLite.Tests.Server;
using PsyLite.Web;

namespace PsyLite.Tests.Web;

public sealed class ConversationSessionTests
{
    private static readonly RiskAssessor Assessor = new();

    private static ConversationSession Session(IChatClient model, TimeProvider? time = null) =>
        new(new TurnPipeline(model, null, Assessor, CrosstalkLibrary.Empty), time ?? TimeProvider.System, NullLogger.Instance);

    [Fact]
    public async Task Turns_go_to_the_model_as_one_conversation_without_reasoning()
    {
        var model = ScriptedChatClient.Saying("<think>草稿</think>", "我在听。");
        using var session = Session(model);
        await session.SendAsync("今天有点累");
        await session.SendAsync("加班到很晚");
        Assert.Equal(["今天有点累", "我在听。", "加班到很晚"], model.LastMessages.Where(m => m.Role != ChatRole.System).Select(m => m.Text));
        Assert.All(session.Exchanges, e => Assert.Equal((ExchangeStage.Done, "草稿", "我在听。"), (e.Stage, e.Reasoning.Trim(), e.Reply.Trim())));
    }

    [Fact]
    public async Task A_stopped_reply_keeps_what_was_said_and_the_next_turn_works()
    {
        var model = new ScriptedChatClient(_ => Enumerable.Repeat("慢慢说，", 1000)) { Pause = TimeSpan.FromMilliseconds(5) };
        using var session = Session(model);
        var turn = session.SendAsync("今天有点累");
        while (session.Exchanges[^1].Reply.Length < 40)
        {
            await Task.Delay(5);
        }

        session.Stop();
        await turn;
        Assert.Equal(ExchangeStage.Stopped, session.Exchanges[^1].Stage);
        Assert.False(session.IsReplying);
        var next = session.SendAsync("还是累");
        session.Stop();
        await next;
        Assert.Equal(2, session.Exchanges.Count);
    }

    [Fact]
    public async Task Danger_withdraws_humour_for_the_whole_conversation()
    {
        using var session = Session(ScriptedChatClient.Saying("好。"));
        await session.SendAsync("今天有点累");
        Assert.Equal(Humour.Offered, session.Humour);
        session.HumourAllowed = false;
        Assert.Equal(Humour.TurnedOff, session.Humour);
        await session.SendAsync("我不想活了，药已经买好了");
        Assert.Equal(Humour.Withdrawn, session.Humour);
    }

    [Fact]
    public async Task Every_two_hours_it_says_again_what_it_is()
    {
        var time = new SteppedTime();
        using var session = Session(ScriptedChatClient.Saying("好。"), time);
        foreach (var hours in new[] { 0, 1.9, 0.2, 1, 1.1 })
        {
            time.Advance(TimeSpan.FromHours(hours));
            await session.SendAsync("今天有点累");
        }

        Assert.Equal([false, false, true, false, true], session.Exchanges.Select(e => e.HasReminder));
    }

    private sealed class SteppedTime : TimeProvider
    {
        private TimeSpan _passed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _passed += by;

        public override long GetTimestamp() => _passed.Ticks;
    }
}
