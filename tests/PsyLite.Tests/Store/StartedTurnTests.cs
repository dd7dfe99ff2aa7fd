using Microsoft.Data.Sqlite;
using PsyLite.Agent;
using PsyLite.Agent.Risk;
using PsyLite.Store.Conversations;
using PsyLite.Store.Sql;
using PsyLite.Tests.Agent;

namespace PsyLite.Tests.Store;

/// <summary>Turns that run while their message is being written: nothing of them is shown before it is, and nothing is counted twice.</summary>
public sealed class StartedTurnTests : IDisposable
{
    private const string Calm = "工作上的事有点烦，想聊聊";
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder["psylite.db"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_model_is_asked_once_while_the_message_is_written_and_heard_when_it_is()
    {
        var conversation = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings { Region = "CN", HumourAllowed = false });
        for (var turn = 0; turn < 3; turn++)
        {
            var model = new FakeModel("我在", "听。");
            var events = new List<TurnEvent>();
            using var other = Open();
            var hold = other.BeginTransaction();
            var running = RunAsync(Recorded(model), conversation, $"t{turn}", Calm, events);
            Assert.True(SpinWait.SpinUntil(() => model.Asked.Count > 0, TimeSpan.FromSeconds(1.5)));
            Assert.Empty(events);
            Assert.False(running.IsCompleted);
            hold.Rollback();
            await running;
            Assert.Equal("我在听。", Turns.Result(events).Reply);
            Assert.Equal("我在听。", string.Concat(events.OfType<TurnEvent.ReplyDelta>().Select(d => d.Text)));
            Assert.Single(model.Asked);
            Assert.Null(conversation.TakeProblem());
        }

        Assert.Equal(3, (await StoredAsync(conversation.Id)).State.Turns);
    }

    [Fact]
    public async Task What_would_count_twice_waits_for_its_message()
    {
        const string said = "看不到希望，什么都没意思";
        var model = new FakeModel("我在听。");
        var conversation = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings());
        var seen = Turns.Assessor.Assess(said);
        Assert.True(seen.Route != Route.Danger && seen.Tier != Tier.T0, $"{seen}");
        using var other = Open();
        var hold = other.BeginTransaction();
        var running = RunAsync(Recorded(model), conversation, "t1", said, []);
        Assert.False(SpinWait.SpinUntil(() => model.Asked.Count > 0, TimeSpan.FromSeconds(0.7)));
        hold.Rollback();
        await running;
        Assert.Single((await StoredAsync(conversation.Id)).Messages, m => m.Author == Author.Person);
    }

    /// <summary>The other instance finishes the same turn between this one's look at the record and its own beginning.</summary>
    [Fact]
    public async Task A_turn_that_another_instance_has_finished_gives_that_reply_and_nothing_of_its_own()
    {
        var (here, there) = (RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings(), "talk"), RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings(), "talk"));
        await RunAsync(Recorded(new FakeModel("那边说的。")), there, "t1", Calm, []);
        var events = new List<TurnEvent>();
        await RunAsync(Recorded(new FakeModel("这边说的。")), here, "t1", Calm, events);
        Assert.Equal("那边说的。", Turns.Result(events).Reply);
        Assert.DoesNotContain(events.OfType<TurnEvent.ReplyDelta>(), d => d.Text.Contains("这边", StringComparison.Ordinal));
        Assert.Null(here.TakeProblem());
        var stored = await StoredAsync("talk");
        Assert.Equal((2, 1), (stored.Messages.Count, stored.State.Turns));
    }

    /// <summary>Danger that was noted elsewhere meanwhile is in the state with which the turn really runs.</summary>
    [Fact]
    public async Task A_turn_that_began_from_an_outdated_state_begins_again_from_the_right_one()
    {
        var here = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings(), "talk");
        await RunAsync(Recorded(new FakeModel("我在听。")), here, "t1", Calm, []);
        var there = (await RecordedConversation.OpenAsync(await SourceAsync(), "a", "talk", default))!;
        await RunAsync(Recorded(null), there, "t2", "我不想活了，药已经买好了", []);
        await there.SavedAsync();
        var model = new FakeModel("说说看。");
        await RunAsync(Recorded(model), here, "t3", Calm, []);
        await here.SavedAsync();
        Assert.True(Severity.IsCrisis(here.State.Tier));
        Assert.Equal((Tier.T3, 1), ((await StoredAsync("talk")).State.Tier, (await StoredAsync("talk")).State.Episodes));
    }

    /// <summary>A request that was sent again while the first one still runs, here or at another instance.</summary>
    [Fact]
    public async Task A_retry_of_a_turn_that_still_runs_waits_for_its_reply()
    {
        var here = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings(), "talk");
        var go = new TaskCompletionSource();
        var first = new List<TurnEvent>();
        var running = RunAsync(Recorded(new FakeModel("先到的", "回复。") { Before = go.Task }), here, "t1", Calm, first);
        Assert.True(await UntilAsync(async () => await (await (await SourceAsync()).OpenAsync()).OpenAsync("a", "talk", default) is { Messages.Count: 2 }));
        var there = (await RecordedConversation.OpenAsync(await SourceAsync(), "a", "talk", default))!;
        var again = new List<TurnEvent>();
        var retried = RunAsync(Recorded(new FakeModel("后到的回复。")), there, "t1", Calm, again);
        await Task.Delay(600);
        Assert.False(retried.IsCompleted);
        Assert.Empty(again);
        go.SetResult();
        await Task.WhenAll(running, retried);
        Assert.Equal("先到的回复。", Turns.Result(first).Reply);
        Assert.Equal("先到的回复。", Turns.Result(again).Reply);
        Assert.Equal((2, 1), ((await StoredAsync("talk")).Messages.Count, (await StoredAsync("talk")).State.Turns));
    }

    [Fact]
    public async Task A_retry_of_a_turn_that_breaks_off_runs_it_then()
    {
        var here = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings(), "talk");
        using var stop = new CancellationTokenSource();
        var running = RunAsync(Recorded(new FakeModel(FakeModel.Hang)), here, "t1", Calm, [], stop.Token);
        Assert.True(await UntilAsync(async () => await (await (await SourceAsync()).OpenAsync()).OpenAsync("a", "talk", default) is { Messages.Count: 2 }));
        var again = new List<TurnEvent>();
        var retried = RunAsync(Recorded(new FakeModel("后到的回复。")), (await RecordedConversation.OpenAsync(await SourceAsync(), "a", "talk", default))!, "t1", Calm, again);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await retried;
        Assert.Equal("后到的回复。", Turns.Result(again).Reply);
        Assert.Equal("后到的回复。", (await StoredAsync("talk")).Messages[^1].Body!.Text);
    }

    /// <summary>The page here still has the danger in its memory when the next message comes.</summary>
    [Fact]
    public async Task Danger_that_a_counsellor_lifted_elsewhere_stays_lifted()
    {
        var here = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings(), "talk");
        await RunAsync(Recorded(null), here, "t1", "我不想活了，药已经买好了", []);
        await here.SavedAsync();
        Assert.True(here.State.AwaitsClearing);
        var elsewhere = new SqlConversationStore(await Stores.OpenAsync(Path, TimeProvider.System));
        Assert.True(await elsewhere.Turns.ChangeStateAsync("talk", state => state.ClearedByPerson(), default));
        await RunAsync(Recorded(new FakeModel("我在听。")), here, "t2", "今天吃了碗面，聊聊别的", []);
        await here.SavedAsync();
        var stored = await StoredAsync("talk");
        Assert.Equal((false, null, 1), (stored.State.AwaitsClearing, stored.State.Ticket, stored.State.Episodes));
        Assert.False(Severity.IsCrisis(stored.State.Tier));
        Assert.Empty(await SqlTickets.ListAsync(await Stores.OpenAsync(Path, TimeProvider.System), default));

        // New danger is new all the same.
        await RunAsync(Recorded(null), here, "t3", "我不想活了，药已经买好了", []);
        await here.SavedAsync();
        Assert.Single(await SqlTickets.ListAsync(await Stores.OpenAsync(Path, TimeProvider.System), default));
    }

    [Fact]
    public async Task Who_leaves_before_the_message_is_written_leaves_a_turn_without_a_reply()
    {
        var conversation = RecordedConversation.Start(await SourceAsync(), "a", new PersonSettings());
        using var stop = new CancellationTokenSource();
        using var other = Open();
        var hold = other.BeginTransaction();
        var running = RunAsync(Recorded(new FakeModel("我在听。")), conversation, "t1", Calm, [], stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        hold.Rollback();
        await conversation.SavedAsync();
        Assert.Equal([MessageStage.Committed, MessageStage.Broken], (await StoredAsync(conversation.Id)).Messages.Select(m => m.Stage));
    }

    private static RecordedTurns Recorded(FakeModel? model) => new(Turns.Pipeline(model), Turns.Assessor, Turns.Library, TimeProvider.System);

    private static async Task RunAsync(RecordedTurns turns, RecordedConversation conversation, string turn, string text, List<TurnEvent> events, CancellationToken cancellationToken = default)
    {
        await foreach (var e in turns.RunAsync(conversation, turn, text, cancellationToken: cancellationToken))
        {
            events.Add(e);
        }
    }

    private static async Task<bool> UntilAsync(Func<Task<bool>> isSo)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            if (await isSo())
            {
                return true;
            }

            await Task.Delay(20);
        }

        return false;
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        connection.Open();
        return connection;
    }

    private async Task<StoredConversation> StoredAsync(string id) => (await (await (await SourceAsync()).OpenAsync()).OpenAsync("a", id, default))!;

    private async Task<StoreSource> SourceAsync()
    {
        var database = await Stores.OpenAsync(Path, TimeProvider.System);
        return new StoreSource(() => Task.FromResult<IConversationStore>(new SqlConversationStore(database)), database.Explain);
    }
}
