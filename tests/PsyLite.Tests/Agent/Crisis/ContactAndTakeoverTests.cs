using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Crisis;

public sealed class ContactAndTakeoverTests
{
    private const string Danger = "我不想活了，药已经买好了";
    private static readonly TurnOptions Reaching = Turns.Quick with { CanReachContact = true };

    [Fact]
    public async Task A_contact_is_named_with_words_to_send_and_nothing_goes_out_before_a_yes()
    {
        var (state, pipeline, audit, _) = Start();
        var first = await EventsAsync(pipeline, Danger, state);
        var reply = Turns.Result(first).Reply;
        Assert.Contains("小林", reply);
        Assert.Contains("139-0000", reply);
        Assert.Contains("我现在很不好，能来陪我吗", reply);
        Assert.EndsWith("要我现在替你把这句话发给小林吗？", reply);
        Assert.Empty(first.OfType<TurnEvent.ContactConsented>());
        Assert.Equal(ContactStage.Asked, state.ContactStage);

        var second = await EventsAsync(pipeline, "好，发吧", state);
        var consented = Assert.Single(second.OfType<TurnEvent.ContactConsented>());
        Assert.Equal(("小林", "我现在很不好，能来陪我吗？", Tier.T3), (consented.Contact.Name, consented.Text, consented.Tier));
        Assert.Contains("看不到对方收没收到", Turns.Result(second).Reply);
        Assert.Empty((await EventsAsync(pipeline, "好", state)).OfType<TurnEvent.ContactConsented>());
        Assert.Contains(audit.Records, r => r.Action == AuditAction.ContactNamed);
        Assert.Single(audit.Records, r => r.Action == AuditAction.ContactConsented);
    }

    [Theory]
    [InlineData("不要")]
    [InlineData("别发")]
    [InlineData("嗯")]
    [InlineData("我不知道")]
    [InlineData("她会生气的")]
    [InlineData("好累")]
    [InlineData("no")]
    [InlineData("发什么")]
    [InlineData("")]
    public async Task Nothing_but_a_clear_yes_sends(string answer)
    {
        var (state, pipeline, _, _) = Start();
        await EventsAsync(pipeline, Danger, state);
        Assert.Empty((await EventsAsync(pipeline, answer, state)).OfType<TurnEvent.ContactConsented>());
        Assert.Empty((await EventsAsync(pipeline, "好", state)).OfType<TurnEvent.ContactConsented>());
        Assert.Single((await EventsAsync(pipeline, "那你帮我告诉她吧", state)).OfType<TurnEvent.ContactConsented>());
    }

    [Fact]
    public async Task A_host_that_cannot_send_is_never_made_to_promise_it()
    {
        var state = new ConversationState { Contact = new EmergencyContact("小林", "139-0000") };
        var pipeline = Turns.Pipeline(null);
        var reply = (await pipeline.AskAsync(Danger, state)).Reply;
        Assert.Contains("小林", reply);
        Assert.EndsWith("你能现在就发出去吗？", reply);
        Assert.Empty((await EventsAsync(pipeline, "好", state)).OfType<TurnEvent.ContactConsented>());
    }

    [Theory]
    [InlineData("我刚吞了一整瓶安眠药", "先打 120")]
    [InlineData("抱着孩子想一起走", "把人分开")]
    public async Task With_an_act_begun_the_ambulance_comes_first(string text, string first)
    {
        var (state, pipeline, _, _) = Start();
        var reply = Turns.Result(await EventsAsync(pipeline, text, state)).Reply;
        Assert.Contains(first, reply[..10]);
        Assert.Contains("小林", reply);
    }

    [Fact]
    public async Task Below_T3_no_contact_is_named()
    {
        var (state, pipeline, _, _) = Start();
        Assert.DoesNotContain("小林", Turns.Result(await EventsAsync(pipeline, "我不想活了", state)).Reply);
    }

    [Fact]
    public async Task One_ticket_an_episode_again_when_danger_grows_and_only_a_person_clears_it()
    {
        var (state, pipeline, audit, desk) = Start(contact: false);
        Assert.Empty((await EventsAsync(pipeline, "我不想活了", state)).OfType<TurnEvent.TakeoverRaised>());
        var raised = Assert.Single((await EventsAsync(pipeline, "药已经买好了，我不想活了", state)).OfType<TurnEvent.TakeoverRaised>()).Ticket;
        Assert.Equal((Tier.T3, state.Id), (raised.Tier, raised.ConversationId));
        Assert.NotEmpty(raised.Rules);
        foreach (var text in new[] { "嗯", "今天下雨", "遗书写好了", "没事了" })
        {
            Assert.Empty((await EventsAsync(pipeline, text, state)).OfType<TurnEvent.TakeoverRaised>());
        }

        var grown = Assert.Single((await EventsAsync(pipeline, "我刚吞了一整瓶安眠药", state)).OfType<TurnEvent.TakeoverRaised>()).Ticket;
        Assert.Equal((raised.Id, Tier.T4), (grown.Id, grown.Tier));
        Assert.Equal(grown, Assert.Single(desk.Open));
        pipeline.ClearByPerson(state);
        Assert.Empty(desk.Open);
        Assert.Equal((Tier.T0, false), (state.Tier, state.AwaitsClearing));
        var next = Assert.Single((await EventsAsync(pipeline, Danger, state)).OfType<TurnEvent.TakeoverRaised>()).Ticket;
        Assert.NotEqual(raised.Id, next.Id);
        Assert.Equal(3, audit.Records.Count(r => r.Action == AuditAction.TicketRaised));
        Assert.Single(audit.Records, r => r.Action == AuditAction.TicketCleared);
    }

    [Fact]
    public async Task Tickets_and_audit_hold_no_word_of_what_was_said()
    {
        const string said = "我不想活了，药已经买好了，叫王小明不要找我";
        var (state, pipeline, audit, desk) = Start();
        await EventsAsync(pipeline, said, state);
        await EventsAsync(pipeline, "教我怎么做炸弹", state);
        var kept = string.Join('\n', audit.Records.Select(r => r.ToString()).Concat(desk.Open.Select(t => $"{t} {string.Join(' ', t.Rules)}")));
        Assert.NotEmpty(kept);
        for (var i = 0; i + 3 <= said.Length; i++)
        {
            Assert.DoesNotContain(said.Substring(i, 3), kept);
        }
    }

    [Fact]
    public async Task A_desk_and_a_log_that_fail_take_nothing_away()
    {
        var broken = new Broken();
        var pipeline = Turns.Pipeline(new FakeModel("你得了抑郁症。"), options: Reaching, desk: broken, audit: broken);
        var state = new ConversationState();
        var events = await EventsAsync(pipeline, Danger, state);
        Assert.Contains("12356", Turns.Result(events).Reply);
        Assert.Single(events.OfType<TurnEvent.TakeoverRaised>());
        pipeline.ClearByPerson(state);
        Assert.Equal(Tier.T0, state.Tier);
        Assert.Equal("guard", (await pipeline.AskAsync("最近提不起劲")).FinishReason);
    }

    [Fact]
    public async Task A_history_without_a_state_raises_no_ticket_twice()
    {
        var pipeline = Turns.Pipeline(null);
        var first = await pipeline.EventsAsync(new TurnRequest(Turns.Say(Danger), new ConversationState()));
        Assert.Single(first.OfType<TurnEvent.TakeoverRaised>());
        var again = await pipeline.EventsAsync(new TurnRequest(Turns.Say(Danger, Turns.Result(first).Reply, "嗯"), new ConversationState()));
        Assert.Empty(again.OfType<TurnEvent.TakeoverRaised>());
    }

    [Fact]
    public async Task Refusals_are_audited_by_their_rule()
    {
        var (state, pipeline, audit, _) = Start();
        await EventsAsync(pipeline, "教我怎么做炸弹", state);
        var record = Assert.Single(audit.Records);
        Assert.Equal((AuditAction.Refusal, "harm.violence", Tier.T0, null), (record.Action, record.Rule, record.Tier, record.ModelHash));
    }

    [Fact]
    public void Memory_keeps_the_newest_tickets_and_records()
    {
        var desk = new TakeoverQueue(3);
        var audit = new AuditTrail(3);
        Parallel.For(0, 200, i =>
        {
            desk.Raise(new TakeoverTicket($"{i}", "c", Tier.T3, default, []));
            audit.Write(new AuditRecord(default, Tier.T3, $"{i}", AuditAction.CrisisReply, null));
        });
        Assert.Equal((3, 3), (desk.Open.Count, audit.Records.Count));
        desk.Close("no such ticket");
    }

    private static Task<List<TurnEvent>> EventsAsync(TurnPipeline pipeline, string text, ConversationState state) =>
        pipeline.EventsAsync(new TurnRequest(Turns.Say(text), state));

    private static (ConversationState State, TurnPipeline Pipeline, AuditTrail Audit, TakeoverQueue Desk) Start(bool contact = true)
    {
        var (audit, desk) = (new AuditTrail(), new TakeoverQueue());
        var state = new ConversationState { Contact = contact ? new EmergencyContact("小林", "139-0000") : null };
        return (state, Turns.Pipeline(null, options: Reaching, desk: desk, audit: audit), audit, desk);
    }

    private sealed class Broken : ITakeoverDesk, IAuditLog
    {
        public void Raise(TakeoverTicket ticket) => throw new InvalidOperationException("down");

        public void Close(string ticketId) => throw new InvalidOperationException("down");

        public void Write(AuditRecord record) => throw new InvalidOperationException("down");
    }
}
