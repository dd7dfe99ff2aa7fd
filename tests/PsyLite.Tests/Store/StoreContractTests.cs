using PsyLite.Agent.Risk;
using PsyLite.Store.Conversations;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;
using PsyLite.Tests.Agent;

namespace PsyLite.Tests.Store;

/// <summary>What every store has to do alike: the SQLite file, the PostgreSQL server, and memory.</summary>
[Collection("postgres")]
public sealed class StoreContractTests(PostgresServer server) : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();

    public static TheoryData<string> Kinds => ["sqlite", "postgres", "memory"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_conversation_comes_back_as_it_was(string kind)
    {
        var store = await OpenAsync(kind);
        var settings = new PersonSettings { HumourAllowed = false, IsMinor = true, Region = "HK", Language = "yue", Contact = new("妈妈", "139") };
        await store.CreateAsync("a", "c1", new ConversationHead("睡不着", settings), default);
        var start = await store.BeginTurnAsync("a", "c1", "t1", "我睡不着", default);
        Assert.Equal(("HK", "妈妈", true, "c1"), (start.State.Region, start.State.Contact?.Name, start.State.HumourRefused, start.State.Id));
        start.State.Tier = Tier.T1;
        start.State.Plan.Answers[PsyLite.Agent.Crisis.PlanStep.Coping] = "散步";
        var reply = new MessageBody("我在听。") { Reasoning = "先共情", Crosstalk = "p1", Tier = Tier.T1, Route = Route.Normal, FinishReason = "stop", UsedModel = true };
        Assert.True(await store.CommitTurnAsync("a", "c1", "t1", reply, start.State, default));

        var stored = (await store.OpenAsync("a", "c1", default))!;
        Assert.Equal(new ConversationHead("睡不着", settings), stored.Summary.Head);
        Assert.Equal([("t1", 0, Author.Person, "我睡不着"), ("t1", 1, Author.Program, "我在听。")], stored.Messages.Select(m => (m.TurnId, m.Ordinal, m.Author, m.Body!.Text)));
        Assert.Equal(reply, stored.Messages[1].Body);
        Assert.Equal((Tier.T1, "散步"), (stored.State.Tier, stored.State.Plan.Answers[PsyLite.Agent.Crisis.PlanStep.Coping]));

        Assert.True(await store.ChangeAsync("a", "c1", h => h with { Title = "夜里" }, default));
        Assert.Equal("夜里", Assert.Single(await store.ListAsync("a", 0, 10, default)).Head.Title);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Somebody_elses_conversation_does_not_exist(string kind)
    {
        var store = await OpenAsync(kind);
        var id = await store.CreateAsync("a");
        await store.TurnAsync("a", id, "t1", "秘密", "嗯");
        Assert.Null(await store.OpenAsync("b", id, default));
        Assert.Empty(await store.ListAsync("b", 0, 10, default));
        Assert.False(await store.ChangeAsync("b", id, h => h with { Title = "x" }, default));
        Assert.Equal(TurnStanding.Unknown, (await store.BeginTurnAsync("b", id, "t2", "x", default)).Standing);
        Assert.False(await store.CommitTurnAsync("b", id, "t1", new MessageBody("x"), new(), default));
        await store.NoteRiskAsync("b", id, "t1", new(), default);
        await store.BreakTurnAsync("b", id, "t1", default);
        Assert.False(await store.RewindAsync("b", id, "t1", default));
        Assert.False(await store.EraseAsync("b", id, default));
        Assert.Empty(await ToListAsync(store.SearchAsync("b", "秘密", default)));
        Assert.Equal(0, await store.EraseOwnerAsync("b", default));
        Assert.Equal(["秘密", "嗯"], (await store.OpenAsync("a", id, default))!.Messages.Select(m => m.Body!.Text));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_retry_is_the_same_turn_and_raises_the_risk_once(string kind)
    {
        var store = await OpenAsync(kind);
        var id = await store.CreateAsync("a");
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var start = await store.BeginTurnAsync("a", id, "t1", "我不想活了", default);
            Assert.Equal(attempt == 0 ? TurnStanding.Begun : TurnStanding.BegunAgain, start.Standing);
            Assert.Equal((0, Tier.T0), (start.State.Episodes, start.State.Tier));
            start.State.Turns++;
            start.State.Episodes++;
            start.State.Tier = Tier.T2;
            await store.NoteRiskAsync("a", id, "t1", start.State, default);
            if (attempt == 2)
            {
                Assert.True(await store.CommitTurnAsync("a", id, "t1", new MessageBody("我在"), start.State, default));
                Assert.False(await store.CommitTurnAsync("a", id, "t1", new MessageBody("又来"), start.State, default));
            }
            else
            {
                await store.BreakTurnAsync("a", id, "t1", default);
            }
        }

        var again = await store.BeginTurnAsync("a", id, "t1", "我不想活了", default);
        Assert.Equal((TurnStanding.Finished, "我在", 1), (again.Standing, again.Reply?.Text, again.State.Episodes));
        Assert.Equal(["我不想活了", "我在"], (await store.OpenAsync("a", id, default))!.Messages.Select(m => m.Body!.Text));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_turn_that_broke_off_shows_nothing_and_hands_its_risk_on(string kind)
    {
        var store = await OpenAsync(kind);
        var id = await store.CreateAsync("a");
        await store.TurnAsync("a", id, "t1", "你好", "你好");
        var start = await store.BeginTurnAsync("a", id, "t2", "我不想活了", default);
        start.State.Turns++;
        start.State.Tier = Tier.T3;
        await store.NoteRiskAsync("a", id, "t2", start.State, default);
        Assert.Equal((MessageStage.Open, (MessageBody?)null), Last(await store.OpenAsync("a", id, default)));

        var next = await store.BeginTurnAsync("a", id, "t3", "嗯", default);
        Assert.Equal((TurnStanding.Begun, Tier.T3, 2), (next.Standing, next.State.Tier, next.State.Turns));
        Assert.False(await store.CommitTurnAsync("a", id, "t2", new MessageBody("太晚了"), start.State, default));
        await store.BreakTurnAsync("a", id, "t3", default);
        Assert.Equal((MessageStage.Broken, (MessageBody?)null), Last(await store.OpenAsync("a", id, default)));

        // This one never came to an assessment: the next turn has to read the conversation again, with the tier that is known.
        var afterwards = await store.BeginTurnAsync("a", id, "t4", "还在吗", default);
        Assert.Equal((Tier.T3, 0), (afterwards.State.Tier, afterwards.State.Turns));
        Assert.Equal(["你好", "你好", "我不想活了", null, "嗯", null, "还在吗", null], (await store.OpenAsync("a", id, default))!.Messages.Select(m => m.Body?.Text));
        Assert.Equal(TurnStanding.Unknown, (await store.BeginTurnAsync("a", id, "t2", "我不想活了", default)).Standing);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_message_written_anew_keeps_the_risk_of_the_one_it_replaces(string kind)
    {
        var store = await OpenAsync(kind);
        var id = await store.CreateAsync("a");
        await store.TurnAsync("a", id, "t1", "一", "1");
        var start = await store.BeginTurnAsync("a", id, "t2", "想死", default);
        start.State.Tier = Tier.T2;
        await store.NoteRiskAsync("a", id, "t2", start.State, default);
        Assert.True(await store.RewindAsync("a", id, "t2", default));
        Assert.False(await store.RewindAsync("a", id, "t2", default));
        var anew = await store.BeginTurnAsync("a", id, "t3", "开玩笑的", default);
        Assert.Equal(Tier.T2, anew.State.Tier);
        Assert.Equal(["一", "1", "开玩笑的", null], (await store.OpenAsync("a", id, default))!.Messages.Select(m => m.Body?.Text));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Search_finds_both_scripts_and_widths_newest_conversation_first(string kind)
    {
        var store = await OpenAsync(kind);
        var (old, newer) = (await store.CreateAsync("a"), await store.CreateAsync("a"));
        await store.TurnAsync("a", old, "t1", "妈妈总说我不够努力，我很难过", "听起来很委屈");
        _time.Pass(TimeSpan.FromMinutes(1));
        await store.TurnAsync("a", newer, "t1", "媽媽今天ＣＡＬＬ我了", "她说了什么？妈妈");
        Assert.Equal([(newer, 1), (newer, 0), (old, 0)], (await ToListAsync(store.SearchAsync("a", "妈妈", default))).Select(h => (h.Conversation.Id, h.Ordinal)));
        Assert.Equal(newer, Assert.Single(await ToListAsync(store.SearchAsync("a", "媽媽 call", default))).Conversation.Id);
        Assert.Contains("不够努力", Assert.Single(await ToListAsync(store.SearchAsync("a", "不夠努力", default))).Excerpt);
        Assert.Empty(await ToListAsync(store.SearchAsync("a", "爸爸", default)));
        Assert.Empty(await ToListAsync(store.SearchAsync("a", "  ", default)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Erasing_takes_one_conversation_or_everything(string kind)
    {
        var store = await OpenAsync(kind);
        var (first, second) = (await store.CreateAsync("a"), await store.CreateAsync("a"));
        await store.TurnAsync("a", first, "t1", "一", "1");
        await store.TurnAsync("a", second, "t1", "二", "2");
        await store.SetSettingsAsync("a", new PersonSettings { HumourAllowed = false }, default);
        await store.AddCheckInAsync("a", new CheckIn(Questionnaire.Mood, _time.GetUtcNow(), [7]), default);
        Assert.True(await store.EraseAsync("a", first, default));
        Assert.False(await store.EraseAsync("a", first, default));
        Assert.Null(await store.OpenAsync("a", first, default));
        Assert.Equal(TurnStanding.Unknown, (await store.BeginTurnAsync("a", first, "t2", "x", default)).Standing);
        Assert.Equal(second, Assert.Single(await store.ListAsync("a", 0, 10, default)).Id);
        Assert.Equal(1, await store.EraseOwnerAsync("a", default));
        Assert.Empty(await store.CheckInsAsync("a", default));
        Assert.True((await store.SettingsAsync("a", default)).HumourAllowed);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Settings_check_ins_and_consents_belong_to_the_person(string kind)
    {
        var store = await OpenAsync(kind);
        Assert.Equal(new PersonSettings(), await store.SettingsAsync("a", default));
        var settings = new PersonSettings { HumourAllowed = false, Region = "TW" };
        await store.SetSettingsAsync("a", settings, default);
        Assert.Equal(settings, await store.SettingsAsync("a", default));

        var late = new CheckIn(Questionnaire.Phq9, _time.GetUtcNow(), [0, 1, 2, 3, 0, 1, 2, 3, 1]);
        await store.AddCheckInAsync("a", late, default);
        await store.AddCheckInAsync("a", new CheckIn(Questionnaire.Gad7, late.At.AddDays(-1), [1, 1, 1, 1, 1, 1, 1]), default);
        Assert.Equal([(Questionnaire.Gad7, 7), (Questionnaire.Phq9, 13)], (await store.CheckInsAsync("a", default)).Select(c => (c.Questionnaire, c.Score)));
        Assert.Equal(late.Items, (await store.CheckInsAsync("a", default))[1].Items);
        await Assert.ThrowsAsync<ArgumentException>(() => store.AddCheckInAsync("a", new CheckIn(Questionnaire.Phq9, late.At, [4, 0, 0, 0, 0, 0, 0, 0, 0]), default));
        await Assert.ThrowsAsync<ArgumentException>(() => store.AddCheckInAsync("a", new CheckIn(Questionnaire.Mood, late.At, []), default));

        var consent = new ConsentRecord("storage", true, "2026-11", late.At);
        await store.AddConsentAsync("a", consent, default);
        Assert.Equal(consent, Assert.Single(await store.ConsentsAsync("a", default)));
        Assert.Empty(await store.ConsentsAsync("b", default));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Fifty_writers_lose_nothing(string kind)
    {
        var store = await OpenAsync(kind);
        var shared = await store.CreateAsync("a");
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async writer =>
        {
            var own = await store.CreateAsync("a");
            for (var turn = 0; turn < 3; turn++)
            {
                Assert.True(await store.TurnAsync("a", own, $"t{turn}", $"说{writer}.{turn}", "答"));
            }

            Assert.NotEqual(TurnStanding.Unknown, (await store.BeginTurnAsync("a", shared, $"w{writer}", $"一起{writer}", default)).Standing);
        }));
        Assert.Equal(51, (await store.ListAsync("a", 0, 100, default)).Count);
        var together = (await store.OpenAsync("a", shared, default))!.Messages;
        Assert.Equal(Enumerable.Range(0, 100), together.Select(m => m.Ordinal));
        Assert.Equal(50, together.Where(m => m.Author == Author.Person).Select(m => m.Body!.Text).Distinct().Count());
        Assert.Equal(200, (await ToListAsync(store.SearchAsync("a", "说", default))).Count + together.Count(m => m.Author == Author.Person));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task A_ticket_comes_and_goes_with_the_risk_state(string kind)
    {
        var (store, database) = await OpenSqlAsync(kind);
        var id = await store.CreateAsync("a");
        var start = await store.BeginTurnAsync("a", id, "t1", "我已经吃药了", default);
        start.State.Ticket = new PsyLite.Agent.Crisis.TakeoverTicket($"{id}-1", id, Tier.T4, _time.GetUtcNow(), ["t4"]);
        (start.State.Tier, start.State.AwaitsClearing) = (Tier.T4, true);
        await store.NoteRiskAsync("a", id, "t1", start.State, default);
        Assert.Equal(Tier.T4, Assert.Single(await SqlTickets.ListAsync(database, default)).Tier);
        await store.CommitTurnAsync("a", id, "t1", new MessageBody("先打120"), start.State, default);
        Assert.Equal(["t4"], Assert.Single(await SqlTickets.ListAsync(database, default)).Rules);

        Assert.True(await store.Turns.AddCounsellorAsync(id, "我是值班的咨询师。", default));
        Assert.True(await store.Turns.ChangeStateAsync(id, s => s.ClearedByPerson(), default));
        Assert.Empty(await SqlTickets.ListAsync(database, default));
        var stored = (await store.OpenAsync("a", id, default))!;
        Assert.Equal((Tier.T0, false, Author.Counsellor), (stored.State.Tier, stored.State.AwaitsClearing, stored.Messages[^1].Author));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task A_counsellor_who_writes_while_a_turn_runs_takes_nothing_from_it(string kind)
    {
        var (store, _) = await OpenSqlAsync(kind);
        var id = await store.CreateAsync("a");
        var start = await store.BeginTurnAsync("a", id, "t1", "我撑不住了", default);
        Assert.True(await store.Turns.AddCounsellorAsync(id, "我在，我是值班的咨询师。", default));
        start.State.Tier = Tier.T2;
        await store.NoteRiskAsync("a", id, "t1", start.State, default);
        Assert.True(await store.CommitTurnAsync("a", id, "t1", new MessageBody("我听到了。"), start.State, default));

        var next = await store.BeginTurnAsync("a", id, "t2", "嗯", default);
        Assert.Equal((TurnStanding.Begun, Tier.T2), (next.Standing, next.State.Tier));
        Assert.True(await store.CommitTurnAsync("a", id, "t2", new MessageBody("慢慢说。"), next.State, default));
        var stored = (await store.OpenAsync("a", id, default))!;
        Assert.Equal(["我撑不住了", "我听到了。", "我在，我是值班的咨询师。", "嗯", "慢慢说。"], stored.Messages.Select(m => m.Body!.Text));
        Assert.Equal(TurnStanding.Finished, (await store.BeginTurnAsync("a", id, "t1", "我撑不住了", default)).Standing);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task A_turn_that_breaks_off_behind_a_counsellors_words_still_hands_its_risk_on(string kind)
    {
        var (store, _) = await OpenSqlAsync(kind);
        var id = await store.CreateAsync("a");
        var start = await store.BeginTurnAsync("a", id, "t1", "我撑不住了", default);
        Assert.True(await store.Turns.AddCounsellorAsync(id, "我在。", default));
        start.State.Tier = Tier.T3;
        await store.NoteRiskAsync("a", id, "t1", start.State, default);
        Assert.Equal(TurnStanding.BegunAgain, (await store.BeginTurnAsync("a", id, "t1", "我撑不住了", default)).Standing);
        await store.NoteRiskAsync("a", id, "t1", start.State, default);
        var next = await store.BeginTurnAsync("a", id, "t2", "嗯", default);
        Assert.Equal((TurnStanding.Begun, Tier.T3), (next.Standing, next.State.Tier));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task What_is_older_than_it_may_be_kept_goes(string kind)
    {
        var (store, database) = await OpenSqlAsync(kind);
        var old = await store.CreateAsync("a");
        _time.Pass(TimeSpan.FromDays(20));
        var young = await store.CreateAsync("a");
        _time.Pass(TimeSpan.FromDays(10) + TimeSpan.FromSeconds(1));
        Assert.Equal(0, await new Retention(database, TimeSpan.Zero).SweepAsync(default));
        Assert.Equal(1, await new Retention(database, TimeSpan.FromDays(30)).SweepAsync(default));
        Assert.Equal(young, Assert.Single(await store.ListAsync("a", 0, 10, default)).Id);
        Assert.Null(await store.OpenAsync("a", old, default));

        // Every message counts anew.
        await store.TurnAsync("a", young, "t", "还在", "嗯");
        _time.Pass(TimeSpan.FromDays(30));
        Assert.Equal(0, await new Retention(database, TimeSpan.FromDays(30)).SweepAsync(default));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Another_instance_that_rotates_the_keys_disturbs_nobody(string kind)
    {
        var (store, database) = await OpenSqlAsync(kind);
        var other = await StoreDatabase.OpenAsync(_backend!, _keys!, _time, default);
        var before = await store.CreateAsync("a");
        await store.TurnAsync("a", before, "t1", "旧", "1");
        var rotating = Task.Run(() => new KeyRotation(other).RunAsync(null, default));
        var ids = new List<string>();
        while (!rotating.IsCompleted || ids.Count < 5)
        {
            ids.Add(await store.CreateAsync("a"));
        }

        Assert.True(await rotating >= 2);
        var reopened = new SqlConversationStore(await StoreDatabase.OpenAsync(_backend!, _keys!, _time, default));
        Assert.Equal(ids.Count + 1, (await reopened.ListAsync("a", 0, 100_000, default)).Count);
        Assert.Equal("旧", (await store.OpenAsync("a", before, default))!.Messages[0].Body!.Text);
        Assert.Empty(_keys!.Read().Older);
        Assert.NotNull(database);
    }

    private static (MessageStage, MessageBody?) Last(StoredConversation? conversation) => (conversation!.Messages[^1].Stage, conversation.Messages[^1].Body);

    private static async Task<List<T>> ToListAsync<T>(IAsyncEnumerable<T> items)
    {
        var list = new List<T>();
        await foreach (var item in items)
        {
            list.Add(item);
        }

        return list;
    }

    private IStoreBackend? _backend;
    private KeySource? _keys;

    private async Task<IConversationStore> OpenAsync(string kind) => kind == "memory" ? new MemoryConversationStore(_time) : (await OpenSqlAsync(kind)).Store;

    private async Task<(SqlConversationStore Store, StoreDatabase Database)> OpenSqlAsync(string kind)
    {
        _backend = kind == "sqlite" ? new SqliteBackend(_folder["psylite.db"], _time) : new PostgresBackend(await server.CreateAsync());
        _keys = KeySource.FromFile(_folder["psylite.key"]);
        var database = await StoreDatabase.OpenAsync(_backend, _keys, _time, default);
        return (new SqlConversationStore(database), database);
    }
}
