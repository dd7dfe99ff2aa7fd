using System.Text.Json;
using Microsoft.Extensions.AI;
using PsyLite.DataPipeline;
using PsyLite.Engine.Remote;
using PsyLite.Tests.Store;
using PsyLite.Training.Data;
using PsyLite.Training.Data.Import;
using PsyLite.Training.Data.Synthetic;

namespace PsyLite.Tests.DataPipeline;

/// <summary>Distillation in this process against a teacher that fails in every way.</summary>
public sealed class DistillTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private DistillOptions Options(string name, int rows)
    {
        if (!File.Exists(_folder["cp.json"]))
        {
            new SourceGenerator(TextCorpus.Read(Path.Combine(ReferenceGraphTests.Root, "corpora"))).Write(SyntheticKind.CPsyCoun, rows, 4, _folder["cp.json"], default);
        }

        return new DistillOptions { Sources = [new SourceOptions(_folder["cp.json"])], Output = _folder[name], Tries = 3 };
    }

    private static RemoteChatClient Client(FaultyTeacher teacher, double seconds = 2) => new(new RemoteOptions
    {
        Protocol = RemoteProtocol.OpenAi,
        Endpoints = [teacher.Address],
        Model = "teacher",
        FirstToken = TimeSpan.FromSeconds(seconds),
        Idle = TimeSpan.FromSeconds(seconds),
        LongestWait = TimeSpan.FromTicks(-1),
        Break = TimeSpan.FromMilliseconds(500),
    });

    private static async Task<DistillReport> RunAsync(DistillOptions options, FaultyTeacher served, bool hasDoubter = false, int attempts = 12, double seconds = 2)
    {
        using var journal = AnswerJournal.Open(options.Journal);
        await using var client = Client(served, seconds);
        var pacer = new RequestPacer(null, null, TimeProvider.System);
        Teacher Make(string model) => new(client, new TeacherOptions(model) { Attempts = attempts, FirstDelay = TimeSpan.FromMilliseconds(20), LongestDelay = TimeSpan.FromMilliseconds(400), PriceIn = 10, PriceOut = 20 }, journal, pacer, TimeProvider.System);
        return await new DistillRun(options, Make("teacher"), hasDoubter ? Make("doubter") : null, journal).RunAsync(0, null, [], default);
    }

    [Fact]
    public async Task Every_fault_is_survived_and_the_result_is_that_of_a_teacher_without_faults()
    {
        await using var faulty = await FaultyTeacher.StartAsync();
        faulty.FaultRate = 0.35;
        var report = await RunAsync(Options("a.jsonl", 120), faulty);
        Assert.Equal(0, report.Unanswered);
        Assert.Equal(report.Turns, report.Kept + report.Failed.Values.Sum());
        Assert.True(report.Kept > 100 && faulty.Faults > 30 && report.FailedRequests > 30, $"{report.Kept} kept, {faulty.Faults} faults, {report.FailedRequests} failed");
        Assert.All(faulty.Bills.Values, b => Assert.Equal(1, b));
        Assert.Equal(faulty.Bills.Count * 150, report.InputTokens + report.OutputTokens);
        Assert.Equal(Math.Round(faulty.Bills.Count * ((100 * 10) + (50 * 20)) / 1e6, 4), report.Cost);

        await using var calm = await FaultyTeacher.StartAsync();
        await RunAsync(Options("b.jsonl", 120), calm);
        Assert.Equal(File.ReadAllText(_folder["a.jsonl"]), File.ReadAllText(_folder["b.jsonl"]));
        Assert.All(File.ReadLines(_folder["a.jsonl"]), l => Assert.StartsWith("他说到", JsonSerializer.Deserialize<JsonElement>(l).GetProperty("messages").EnumerateArray().Last().GetProperty("reasoning").GetString()));

        // Again: everything is on record.
        var before = faulty.Requests;
        var again = await RunAsync(Options("a.jsonl", 120), faulty);
        Assert.Equal((before, 0, report.Kept), (faulty.Requests, again.Requests, again.Kept));
    }

    [Fact]
    public async Task A_second_teacher_must_agree()
    {
        await using var teacher = await FaultyTeacher.StartAsync();
        teacher.FaultRate = 0.1;
        var report = await RunAsync(Options("a.jsonl", 80) with { Tries = 1 }, teacher, hasDoubter: true);
        Assert.Equal((0, report.Turns), (report.Unanswered, report.Kept + report.Failed.Values.Sum()));
        Assert.InRange(report.Failed["second teacher disagrees"], 8, 45);
        Assert.All(teacher.Bills.Values, b => Assert.Equal(1, b));
        Assert.Equal(report.Turns + report.Kept + report.Failed["second teacher disagrees"], teacher.Bills.Count);
        Assert.Equal(teacher.Bills.Count * 150, report.InputTokens + report.OutputTokens);

        // Another try brings another reasoning, and another opinion of it.
        var before = teacher.Bills.Count;
        var more = await RunAsync(Options("a.jsonl", 80) with { Tries = 2 }, teacher, hasDoubter: true);
        Assert.True(more.Kept > report.Kept && more.Failed["second teacher disagrees"] < report.Failed["second teacher disagrees"]);
        Assert.Equal((teacher.Bills.Count - before) * 150, more.InputTokens + more.OutputTokens);
    }

    [Theory]
    [InlineData("是，贴合。", null)]
    [InlineData("否。思考里说的事对话里没有。", "second teacher disagrees")]
    [InlineData("这很难说", "second teacher gave no verdict")]
    public async Task What_the_second_teacher_says_decides(string opinion, string? gate)
    {
        await using var teacher = await FaultyTeacher.StartAsync();
        (teacher.BadRate, teacher.Opinion) = (0, opinion);
        var report = await RunAsync(Options("a.jsonl", 12) with { Tries = 1 }, teacher, hasDoubter: true);
        Assert.Equal((gate is null ? report.Turns : 0, 0), (report.Kept, report.Unanswered));
        Assert.Equal(gate is null ? [] : [gate], report.Failed.Keys);
        Assert.True(gate is null || File.ReadLines(_folder["a.jsonl.rejected.jsonl"]).All(l => l.Contains(gate, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(500, 0)]
    [InlineData(null, 1500)]
    public async Task A_second_teacher_that_fails_or_is_too_slow_is_asked_again_and_the_first_is_not(int? status, int milliseconds)
    {
        await using var teacher = await FaultyTeacher.StartAsync();
        (teacher.BadRate, teacher.Opinion, teacher.DoubterAlways, teacher.DoubterPace) = (0, "是", status, TimeSpan.FromMilliseconds(milliseconds));
        var first = await RunAsync(Options("a.jsonl", 12) with { Tries = 1 }, teacher, hasDoubter: true, attempts: 2, seconds: 0.5);
        Assert.Equal((first.Turns, 0), (first.Unanswered, first.Kept));
        Assert.Empty(first.Failed);
        Assert.False(File.Exists(_folder["a.jsonl"]));
        var reasonings = (first.InputTokens + first.OutputTokens) / 150;
        Assert.InRange(reasonings, 6, first.Turns);

        (teacher.DoubterAlways, teacher.DoubterPace) = (null, TimeSpan.FromMilliseconds(100));
        var before = teacher.Requests;
        var second = await RunAsync(Options("a.jsonl", 12) with { Tries = 1 }, teacher, hasDoubter: true);
        Assert.Equal((second.Turns, 0), (second.Kept, second.Unanswered));
        Assert.Equal((2 * second.Turns) - reasonings, teacher.Requests - before);
        Assert.Equal(((2 * second.Turns) - reasonings) * 150, second.InputTokens + second.OutputTokens);
    }

    [Fact]
    public async Task A_wrong_key_ends_the_run_at_once_and_a_refused_request_ends_only_its_turn()
    {
        await using var teacher = await FaultyTeacher.StartAsync();
        teacher.Always = 401;
        var fault = await Assert.ThrowsAsync<RemoteException>(() => RunAsync(Options("a.jsonl", 60), teacher));
        Assert.Contains("PSYLITE_ENDPOINT_KEY", fault.Message);
        Assert.InRange(teacher.Requests, 1, 16);
        Assert.False(File.Exists(_folder["a.jsonl"]));
        teacher.Always = 400;
        var report = await RunAsync(Options("b.jsonl", 60), teacher);
        Assert.Equal((0, report.Turns), (report.Unanswered, report.Failed["refused by the teacher"]));
    }

    [Fact]
    public async Task A_budget_stops_the_run_and_the_next_one_goes_on()
    {
        await using var teacher = await FaultyTeacher.StartAsync();
        var first = await RunAsync(Options("a.jsonl", 80) with { TokenBudget = 3000, Concurrency = 2 }, teacher);
        Assert.Equal("the budget is used up", first.Stopped);
        Assert.InRange(first.InputTokens + first.OutputTokens, 3000, 3300);
        Assert.True(first.Unanswered > 20);
        Assert.False(File.Exists(_folder["a.jsonl"]));
        var second = await RunAsync(Options("a.jsonl", 80), teacher);
        Assert.Equal(0, second.Unanswered);
        Assert.All(teacher.Bills.Values, b => Assert.Equal(1, b));
        Assert.Equal(teacher.Bills.Count, teacher.Requests);
    }

    [Fact]
    public async Task Requests_keep_to_their_pace()
    {
        var pacer = new RequestPacer(1200, null, TimeProvider.System);
        var started = DateTimeOffset.UtcNow;
        await Task.WhenAll(Enumerable.Range(0, 11).Select(_ => pacer.WaitAsync(0, default)));
        Assert.True(DateTimeOffset.UtcNow - started >= TimeSpan.FromMilliseconds(480));
        pacer.Pause(TimeSpan.FromMilliseconds(300));
        started = DateTimeOffset.UtcNow;
        await pacer.WaitAsync(0, default);
        Assert.True(DateTimeOffset.UtcNow - started >= TimeSpan.FromMilliseconds(280));
        var tokens = new RequestPacer(null, 60_000, TimeProvider.System);
        started = DateTimeOffset.UtcNow;
        await tokens.WaitAsync(400, default);
        await tokens.WaitAsync(1, default);
        Assert.True(DateTimeOffset.UtcNow - started >= TimeSpan.FromMilliseconds(380));
    }

    [Theory]
    [InlineData("他说睡不着，整夜想着考试，心里又急又怕。我先接住这份焦虑，不急着讲道理，再问问夜里最怕的那件事是什么，让他慢慢说。", "stop", null)]
    [InlineData("<think>\n他说睡不着，整夜想着考试，心里又急又怕。我先接住这份焦虑，不急着讲道理，再问问夜里最怕的那件事是什么，让他慢慢说。\n</think>", "stop", null)]
    [InlineData("他说睡不着，整夜想着考试，心里又急又怕。我先接住这份焦虑，不急着讲道理，再问问夜里最怕的那件事是什么，让他慢慢说。", "length", "cut off")]
    [InlineData("", "stop", "empty")]
    [InlineData("他睡不着，问问怕什么。", "stop", "length")]
    [InlineData("He cannot sleep because of the exam, so I would first meet his fear, and then ask what frightens him most at night.", "stop", "language")]
    [InlineData("抱歉，我无法完成这个请求。他说睡不着，整夜想着考试，心里又急又怕，我先接住这份焦虑，再问问夜里最怕的那件事是什么。", "stop", "refusal")]
    [InlineData("他说睡不着，整夜想着考试。根据给定的回复，咨询师应当先接住这份焦虑，再问问夜里最怕的那件事是什么，让他慢慢说出来。", "stop", "label leaked")]
    [InlineData("他说睡不着考试。所以我要说：考试前睡不着真的很难受，身体躺下了心还在考场。夜里最怕的那件事是什么呢？我想听你说说。就这样说吧。", "stop", "answer copied")]
    [InlineData("今天天气很好，公园里的花都开了，孩子们在草地上放风筝，远处有人拉着手风琴，一切都那么安静美好，让人想起故乡的春天。", "stop", "inconsistent")]
    [InlineData("他说睡不着，整夜想着考试，心里又急又怕。我先接住这份焦虑，可以让他去买安眠药每晚吃两片，再问问夜里最怕的那件事是什么。", "stop", "guard.dose")]
    public void Only_a_reasoning_that_may_be_taught_passes(string text, string finish, string? gate)
    {
        var turn = new PsyLite.Training.Data.Records.DataRecord("1", "counsel", "s",
            [new SampleMessage("user", "最近要考试了，我整夜睡不着，特别害怕考砸。"), new SampleMessage("assistant", "考试前睡不着真的很难受，身体躺下了心还在考场。夜里最怕的那件事是什么呢？我想听你说说。")]);
        Assert.Equal(gate, new ReasoningGates(new GateOptions()).Check(turn, new JournalEntry("k", JournalState.Answered, text, finish)).Gate);
    }

    [Fact]
    public void The_teacher_sees_history_question_and_answer_and_no_personal_data()
    {
        var turn = new PsyLite.Training.Data.Records.DataRecord("1", "counsel", "s",
            [new SampleMessage("user", "在吗"), new SampleMessage("assistant", "在的"), new SampleMessage("user", "打我13812345678"), new SampleMessage("assistant", "好")]);
        var messages = ReasoningPrompt.Ask(PsyLite.Training.Data.Records.ScrubbedRecord.Of(turn).Record);
        Assert.Equal("【此前的对话】\n求助者：在吗\n咨询师：在的\n\n【求助者最后一句话】\n打我【电话】\n\n【咨询师的回复】\n好", messages[^1].Text);
        Assert.Equal([true, false, null], new[] { "是。", "否", "也许" }.Select(ReasoningPrompt.Verdict));
    }

    [Fact]
    public async Task Replies_are_ranked_by_gates_first_and_a_pair_needs_a_clear_margin()
    {
        using var journal = AnswerJournal.Open(_folder["s.journal"]);
        var model = new ScriptedReplies(
            "<think>对方睡不着，先接住再问。</think>考试前睡不着真的很熬人。夜里想得最多的是哪一件事？",
            "睡前吃2片安眠药就行。",
            "嗯");
        var teacher = new Teacher(model, new TeacherOptions("m"), journal, new RequestPacer(null, null, TimeProvider.System), TimeProvider.System);
        var sampling = new PreferenceSampling(new SamplingOptions { Replies = 3, Concurrency = 1 }, teacher, null);
        PsyLite.Training.Data.Records.DataRecord Prompt(string id, string said) => new(id, "counsel", "s", [new SampleMessage("user", said), new SampleMessage("assistant", "x")]);
        var prompts = new[] { Prompt("1", "快考试了，我夜里睡不着"), Prompt("2", "我不想活了，药都买好了") };
        await sampling.AskAsync(prompts, null, default);
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var pair = Assert.Single(sampling.Pairs(prompts, counts));
        Assert.Equal(["pairs sampled 1", "prompt in danger 1"], counts.Select(c => $"{c.Key} {c.Value}"));
        Assert.Equal(("对方睡不着，先接住再问。", "睡前吃2片安眠药就行。"), (pair.Reply.Reasoning, pair.Rejected!.Content));
        Assert.Equal(3, model.Asked);
    }

    private sealed class ScriptedReplies(params string[] replies) : IChatClient
    {
        public int Asked { get; private set; }

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var (reasoning, content) = PsyLite.Models.Text.ThinkSplitter.Split(replies[Asked++]);
            return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, [new TextReasoningContent(reasoning), new TextContent(content)])) { FinishReason = ChatFinishReason.Stop });
        }

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
