using Microsoft.Data.Sqlite;
using PsyLite.Agent;
using PsyLite.Agent.Risk;
using PsyLite.Options;
using PsyLite.Store;
using PsyLite.Store.Audit;
using PsyLite.Store.Conversations;
using PsyLite.Store.Sql;
using PsyLite.Tests.Agent;

namespace PsyLite.Tests.Store;

/// <summary>Real turns over a real file: recorded when all is well, and never held up by it when it is not.</summary>
public sealed class RecordedTurnsTests : IDisposable
{
    private const string Danger = "我不想活了，药已经买好了";
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder["psylite.db"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_conversation_goes_on_after_a_restart()
    {
        var model = new FakeModel(FakeModel.Thought("想一想"), "我在听。");
        var conversation = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings());
        var first = await RunAsync(Recorded(model), conversation, "t1", "最近工作压力很大，睡不着");
        Assert.Equal("我在听。", Turns.Result(first).Reply);
        Assert.Null(conversation.TakeProblem());

        var again = (await RecordedConversation.OpenAsync(await SourceAsync(), "a", conversation.Id, default))!;
        Assert.Equal(1, again.State.Turns);
        await RunAsync(Recorded(model), again, "t2", "嗯，还有家里的事");
        Assert.Equal(["最近工作压力很大，睡不着", "我在听。", "嗯，还有家里的事"], model.Asked[^1].Select(m => m.Text).TakeLast(3));
        var stored = (await (await (await SourceAsync()).OpenAsync()).OpenAsync("a", conversation.Id, default))!;
        Assert.Equal("最近工作压力很大，睡不着", stored.Summary.Head.Title);
        Assert.Equal([null, "想一想", null, "想一想"], stored.Messages.Select(m => m.Body!.Reasoning));
        Assert.Equal(2, stored.State.Turns);
    }

    [Fact]
    public async Task A_finished_turn_is_given_again_without_asking_the_model()
    {
        var model = new FakeModel("太为你高兴了！");
        var conversation = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings());
        var first = Turns.Result(await RunAsync(Recorded(model), conversation, "t1", "今天升职了，太开心啦哈哈"));
        Assert.NotNull(first.Crosstalk);

        foreach (var retried in new[] { conversation, (await RecordedConversation.OpenAsync(await SourceAsync(), "a", conversation.Id, default))! })
        {
            var again = Turns.Result(await RunAsync(Recorded(model), retried, "t1", "今天升职了，太开心啦哈哈"));
            Assert.Equal((first.Reply, first.Crosstalk, first.Assessment.Route, first.FinishReason), (again.Reply, again.Crosstalk, again.Assessment.Route, again.FinishReason));
            Assert.Equal(1, retried.State.Turns);
        }

        Assert.Single(model.Asked);
    }

    [Fact]
    public async Task Danger_that_is_sent_again_raises_one_ticket()
    {
        var conversation = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings());
        await RunAsync(Recorded(null), conversation, "t1", Danger);
        await conversation.SavedAsync();
        var retried = (await RecordedConversation.OpenAsync(await SourceAsync(), "a", conversation.Id, default))!;
        await RunAsync(Recorded(null), retried, "t1", Danger);
        await retried.SavedAsync();
        Assert.Equal((1, Tier.T3, 1), (retried.State.Episodes, retried.State.Tier, retried.State.Turns));
        Assert.Single(await SqlTickets.ListAsync(await Stores.OpenAsync(Path), default));
    }

    [Fact]
    public async Task A_turn_that_the_person_stops_is_broken_and_its_risk_stays()
    {
        var conversation = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings());
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var e in Recorded(new FakeModel("听起来很难。", "你一个人扛了很久。", "最近", FakeModel.Hang)).RunAsync(conversation, "t1", "看不到希望", cancellationToken: stop.Token))
            {
                if (e is TurnEvent.ReplyDelta)
                {
                    await stop.CancelAsync();
                }
            }
        });
        await conversation.SavedAsync();
        var stored = (await RecordedConversation.OpenAsync(await SourceAsync(), "a", conversation.Id, default))!;
        var store = await (await SourceAsync()).OpenAsync();
        Assert.Equal([MessageStage.Committed, MessageStage.Broken], (await store.OpenAsync("a", conversation.Id, default))!.Messages.Select(m => m.Stage));
        var worried = conversation.State.Tier;
        Assert.NotEqual(Tier.T0, worried);

        // The next message starts from the risk that the stopped turn saw; the same message again counts once.
        await RunAsync(Recorded(new FakeModel("嗯。")), stored, "t2", "嗯");
        Assert.Equal((worried, 2), (stored.State.Tier, stored.State.Turns));
        Assert.Equal(0, stored.State.WorryTurns - conversation.State.WorryTurns);
    }

    [Theory]
    [InlineData(Danger)]
    [InlineData("最近工作压力很大，睡不着")]
    public async Task A_locked_database_costs_the_record_and_not_the_turn(string said)
    {
        var source = await SourceAsync();
        var conversation = RecordedConversation.Start(source, "a", new PersonSettings());
        using var other = new SqliteConnection($"Data Source={Path};Pooling=False");
        other.Open();
        using var hold = other.BeginTransaction();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var shown = TimeSpan.MaxValue;
        await foreach (var e in Recorded(new FakeModel("我在听。")).RunAsync(conversation, "t1", said))
        {
            shown = e is TurnEvent.ReplyDelta && shown == TimeSpan.MaxValue ? watch.Elapsed : shown;
        }

        Assert.InRange(shown, TimeSpan.Zero, TimeSpan.FromSeconds(said == Danger ? 1.5 : 10));
        Assert.False(conversation.IsSaved);
        Assert.Contains("holds", conversation.TakeProblem());
        Assert.Null(conversation.TakeProblem());
        hold.Rollback();
        await RunAsync(Recorded(new FakeModel("我还在。")), conversation, "t2", "你好");
        Assert.Null(conversation.TakeProblem());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_store_that_fails_at_any_call_is_told_once_and_ends_no_turn(int failing)
    {
        var calls = 0;
        var store = new MemoryConversationStore(TimeProvider.System);
        var source = new StoreSource(
            () => calls++ >= failing ? throw new SqliteException("database or disk is full", SQLitePCL.raw.SQLITE_FULL) : Task.FromResult<IConversationStore>(store),
            fault => new SqliteBackend(Path, TimeProvider.System).Explain(fault)!);
        var conversation = RecordedConversation.Start(source, "a", new PersonSettings());
        var told = new List<string?>();
        foreach (var (turn, text) in new[] { ("t1", "最近睡不着"), ("t2", Danger), ("t3", "嗯") })
        {
            Assert.NotEmpty(Turns.Result(await RunAsync(Recorded(new FakeModel("我在听。")), conversation, turn, text)).Reply);
            await conversation.SavedAsync();
            told.Add(conversation.TakeProblem());
        }

        Assert.Contains("is full; make room", Assert.Single(told.OfType<string>()));
        Assert.Equal((Tier.T3, 3), (conversation.State.Tier, conversation.State.Turns));
    }

    [Fact]
    public async Task The_host_keeps_the_audit_opens_late_and_sweeps()
    {
        var lines = new List<string>();
        var options = new AppOptions { Store = Path };
        await using (var host = new StoreHost(options, TimeProvider.System, lines.Add))
        {
            Assert.False(File.Exists(Path));
            var pipeline = Turns.Pipeline(null, desk: host.Desk, audit: host.Audit);
            var recorded = new RecordedTurns(pipeline, Turns.Assessor, Turns.Library, TimeProvider.System);
            var temporary = RecordedConversation.Start(host.Temporary, LocalOwner.Id, new PersonSettings());
            await RunAsync(recorded, temporary, "t1", "最近睡不着");
            Assert.Null(temporary.TakeProblem());
            Assert.False(File.Exists(Path));

            var conversation = RecordedConversation.Start(host.Lasting, LocalOwner.Id, new PersonSettings());
            await RunAsync(recorded, conversation, "t1", Danger);
            await conversation.SavedAsync();
            await host.FlushAsync();
            Assert.Null(conversation.TakeProblem());
            Assert.Equal(conversation.Id, Assert.Single(await host.TicketsAsync(default)).ConversationId);
        }

        Assert.Empty(lines);
        var database = await Stores.OpenAsync(Path, TimeProvider.System);
        Assert.Equal(new AuditVerdict(2, null), await new AuditChain(database, _folder["psylite.db.audit"]).VerifyAsync(default));
        var audited = await database.ReadAsync(db => Task.FromResult(db.Audit.OrderBy(r => r.Sequence).ToList()));
        Assert.Equal(["TicketRaised", "CrisisReply"], audited.Select(r => r.Action));
        Assert.Single(audited.Select(r => r.Conversation).Distinct());
        Assert.NotNull(audited[0].Conversation);
    }

    private static RecordedTurns Recorded(FakeModel? model) => new(Turns.Pipeline(model), Turns.Assessor, Turns.Library, TimeProvider.System);

    private static async Task<List<TurnEvent>> RunAsync(RecordedTurns turns, RecordedConversation conversation, string turn, string text)
    {
        var events = new List<TurnEvent>();
        await foreach (var e in turns.RunAsync(conversation, turn, text))
        {
            events.Add(e);
        }

        return events;
    }

    private async Task<StoreSource> SourceAsync()
    {
        var database = await Stores.OpenAsync(Path, TimeProvider.System);
        return new StoreSource(() => Task.FromResult<IConversationStore>(new SqlConversationStore(database)), database.Explain);
    }
}
