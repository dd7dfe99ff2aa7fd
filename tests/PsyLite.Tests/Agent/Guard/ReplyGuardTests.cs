using System.Diagnostics;
using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Guard;

namespace PsyLite.Tests.Agent.Guard;

public sealed class ReplyGuardTests
{
    private const string Before = "前面的话都很好，先认真听你把事情讲完。";
    private static readonly HotlineDirectory Hotlines = new();
    private static readonly string[] Categories = ["method", "encouragement", "dose", "diagnosis", "number", "persona", "dependence", "prompt", "markup"];

    public static TheoryData<string> AllCategories => [.. Categories];

    [Theory]
    [MemberData(nameof(AllCategories))]
    public void What_must_not_be_said_is_cut_and_what_is_only_near_it_goes_through(string category)
    {
        var rows = Rows().Where(r => r.Category == category).ToList();
        Assert.True(rows.Count(r => r.IsStop) >= 25 && rows.Count(r => !r.IsStop) >= 25, $"{category}: {rows.Count} rows");
        Assert.Contains(rows, r => r.Text.All(c => c < 128));
        var wrong = new List<string>();
        foreach (var (_, isStop, text) in rows)
        {
            var (broken, shown) = Stream(text, text.Length);
            var isRight = isStop ? broken == $"guard.{category}" || (broken is not null && category is "method" or "encouragement" && broken is "guard.method" or "guard.encouragement") : broken is null && shown == text;
            if (!isRight)
            {
                wrong.Add($"{(isStop ? "stop" : "pass")} {broken ?? "shown"}: {text}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [MemberData(nameof(AllCategories))]
    public void However_the_stream_is_split_the_verdict_is_the_same_and_nothing_that_is_cut_was_seen(string category)
    {
        foreach (var (_, isStop, text) in Rows().Where(r => r.Category == category))
        {
            var reply = Before + text;
            var (whole, _) = Stream(reply, reply.Length);
            var forbidden = isStop ? Forbidden(reply) : reply.Length;
            foreach (var first in Enumerable.Range(1, reply.Length - 1))
            {
                var guard = new ReplyGuard(Hotlines, GuardRule.All);
                var broken = guard.Add(reply[..first]).Broken ?? guard.Add(reply[first..]).Broken ?? guard.Finish().Broken;
                Assert.Equal(whole, broken?.Id);
                Assert.True(guard.Shown.Length <= forbidden, $"{guard.Shown} | {reply}");
            }

            var (letters, shown) = Stream(reply, 1);
            Assert.Equal(whole, letters);
            Assert.True(shown.Length <= forbidden, $"{shown} | {reply}");
            Assert.StartsWith(shown, reply);
        }
    }

    [Fact]
    public void A_plain_reply_streams_with_a_short_delay()
    {
        const string reply = "听起来这段时间真的很累，夜里醒来的时候，心里最先冒出来的是什么？慢慢说，我在听。";
        var guard = new ReplyGuard(Hotlines, GuardRule.All);
        var longest = 0;
        for (var i = 0; i < reply.Length; i++)
        {
            guard.Add(reply[i].ToString());
            longest = Math.Max(longest, i + 1 - guard.Shown.Length);
        }

        Assert.InRange(longest, 1, 30);
        Assert.Null(guard.Finish().Broken);
        Assert.Equal(reply, guard.Shown);
    }

    [Fact]
    public void A_sentence_without_an_end_is_judged_and_let_go()
    {
        var guard = new ReplyGuard(Hotlines, GuardRule.All);
        var said = 0;
        for (var i = 0; i < 200; i++)
        {
            Assert.Null(guard.Add("你可以慢慢说，").Broken);
            said += 7;
            Assert.True(said - guard.Shown.Length <= ReplyGuard.LongestSentence + 8, $"{said} {guard.Shown.Length}");
        }

        Assert.NotNull(guard.Add("其实你得了抑郁症，" + new string('嗯', 300)).Broken);
        Assert.DoesNotContain("抑郁症", guard.Shown);
    }

    [Fact]
    public void No_text_takes_the_guard_long()
    {
        var random = new Random(11);
        const string parts = "你我他可以建议先吃药不要别离开永远最快的方法是割死，0123456789 <|你的abc youI'm love don't sertraline mg";
        foreach (var text in Enumerable.Range(0, 6).Select(_ => string.Concat(Enumerable.Range(0, 20_000).Select(_ => parts[random.Next(parts.Length)])))
            .Concat([new string('你', 20_000), new string('1', 20_000), string.Concat(Enumerable.Repeat("你可以", 7000)), string.Concat(Enumerable.Repeat("you have a ", 2000))]))
        {
            var watch = Stopwatch.StartNew();
            Stream(text, 5);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(6), $"{watch.Elapsed} for {text[..20]}");
        }
    }

    [Fact]
    public void Surrogate_pairs_are_shown_whole()
    {
        var guard = new ReplyGuard(Hotlines, GuardRule.All);
        foreach (var c in string.Concat(Enumerable.Repeat("🌱嗯", 30)))
        {
            guard.Add(c.ToString());
            Assert.False(guard.Shown.Length > 0 && char.IsHighSurrogate(guard.Shown[^1]));
        }
    }

    [Theory]
    [InlineData("最近提不起劲", "zh-CN", "医生当面看过")]
    [InlineData("最近提不起勁，覺得很煩", "zh-TW", "醫師當面看過")]
    [InlineData("呢排好攰，提唔起勁", "yue", "醫生親自睇過")]
    [InlineData("I feel flat these days", "en", "belong to a doctor")]
    public async Task A_cut_reply_is_replaced_in_the_persons_language_and_audited(string said, string language, string words)
    {
        var audit = new AuditTrail();
        var model = new FakeModel("先听听你的感受，", "这段时间辛苦了。", "从描述看，你得了抑郁症，", "要吃药。", "还有别的。");
        var pipeline = Turns.Pipeline(model, options: Turns.Quick with { ModelHash = () => "abc" }, audit: audit);
        var events = await pipeline.EventsAsync(new TurnRequest(Turns.Say(said), new ConversationState()) { Language = language });
        var replaced = Assert.Single(events.OfType<TurnEvent.ReplyReplaced>());
        Assert.Equal("guard.diagnosis", replaced.Rule);
        Assert.Contains(words, replaced.Text);
        var result = Turns.Result(events);
        Assert.Equal("guard", result.FinishReason);
        Assert.Equal(replaced.Text, result.Reply);
        Assert.Equal(result.Reply, Turns.Visible(events));
        Assert.DoesNotContain("抑郁症", string.Concat(events.OfType<TurnEvent.ReplyDelta>().Select(d => d.Text)));
        var record = Assert.Single(audit.Records);
        Assert.Equal((AuditAction.GuardCut, "guard.diagnosis", "abc"), (record.Action, record.Rule, record.ModelHash));
    }

    [Fact]
    public async Task In_worry_the_replacement_asks_the_caring_question_and_names_a_line()
    {
        var result = await Turns.Pipeline(new FakeModel("别离开我，好吗？")).AskAsync("好绝望，看不到希望");
        Assert.Equal("guard", result.FinishReason);
        Assert.Contains("12356", result.Reply);
        Assert.Contains("不想活", result.Reply);
        Assert.Single(result.Reply, c => c == '？');
    }

    [Fact]
    public async Task Reasoning_that_names_a_method_ends_there_and_the_reply_goes_on()
    {
        var model = new FakeModel(FakeModel.Thought("对方想知道药量，"), FakeModel.Thought("安眠药只要吃够就能走得很安静，"), FakeModel.Thought("但不能说。"), "听起来夜里很难熬。");
        var events = await Turns.Pipeline(model).EventsAsync(new TurnRequest(Turns.Say("晚上睡不好"), new ConversationState()));
        var result = Turns.Result(events);
        Assert.Equal("听起来夜里很难熬。", result.Reply);
        Assert.DoesNotContain("吃够", result.Reasoning);
        Assert.Equal(result.Reasoning, string.Concat(events.OfType<TurnEvent.ReasoningDelta>().Select(d => d.Text)));
    }

    [Theory]
    [InlineData("<think>他很难过")]
    [InlineData("  <THINK>他很难过，我该")]
    [InlineData("听起来很累。<think>他很难过，该怎么办")]
    public async Task Unclosed_thinking_is_never_shown(string reply)
    {
        foreach (var size in new[] { 1, 3, 7, reply.Length })
        {
            var events = await Turns.Pipeline(new FakeModel([.. reply.Chunk(size).Select(c => (object)new string(c))])).EventsAsync(
                new TurnRequest(Turns.Say("今天有点闷"), new ConversationState()));
            Assert.DoesNotContain("难过", string.Concat(events.OfType<TurnEvent.ReplyDelta>().Select(d => d.Text)));
            Assert.DoesNotContain("难过", Turns.Result(events).Reply);
        }
    }

    [Fact]
    public async Task No_joke_follows_a_cut_reply()
    {
        var result = await Turns.Pipeline(new FakeModel("宝贝，我也爱你。")).AskAsync("今天升职了，太开心啦哈哈");
        Assert.Null(result.Crosstalk);
        Assert.Equal("guard", result.FinishReason);
    }

    private static List<(string Category, bool IsStop, string Text)> Rows() =>
        [.. File.ReadLines(Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Agent/Guard/replies.tsv"))
            .Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split('\t')).Select(p => (p[0], p[1] == "stop", p[2].Replace("\\n", "\n")))];

    /// <summary>Where in the reply the first forbidden words begin, found without a stream.</summary>
    private static int Forbidden(string reply)
    {
        var plain = PlainText.Fold(reply);
        var starts = GuardRule.All.Select(r => r.Pattern.Match(r.SeesQuotes ? plain : Quotes.Blank(plain, 0))).Where(m => m.Success).Select(m => m.Index)
            .Append(ReplyGuard.ForeignNumber(plain, 0, Hotlines) ?? int.MaxValue).Min();
        return starts == int.MaxValue ? reply.Length : starts;
    }

    private static (string? Broken, string Shown) Stream(string reply, int size)
    {
        var guard = new ReplyGuard(Hotlines, GuardRule.All);
        foreach (var piece in reply.Chunk(size))
        {
            if (guard.Add(new string(piece)).Broken is { } broken)
            {
                return (broken.Id, guard.Shown);
            }
        }

        return (guard.Finish().Broken?.Id, guard.Shown);
    }
}
