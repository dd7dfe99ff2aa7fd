using Microsoft.Extensions.AI;
using PsyLite.Evaluation.CEval;
using PsyLite.Evaluation.Comparing;
using PsyLite.Evaluation.Counselling;
using PsyLite.Evaluation.Judging;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;
using PsyLite.Evaluation.SafeDialogue;

namespace PsyLite.Tests.Evaluation;

/// <summary>Traps of the published protocols that need a whole question, judge or comparison to be met; the table in docs/evaluation.md names all.</summary>
public sealed class ProtocolTrapTests : IDisposable
{
    private readonly Respondents _respondents = new();

    public void Dispose() => _respondents.Dispose();

    [Theory]
    [InlineData("official")]
    [InlineData("official-chat")]
    [InlineData("official-cot")]
    [InlineData("opencompass-gen")]
    [InlineData("opencompass-ppl")]
    public async Task The_first_five_examples_stand_there_in_their_order(string name)
    {
        var seen = "";
        var asker = _respondents.Answering(
            messages => Keep(string.Join('\n', messages.Select(m => m.Text))), choose: texts => Keep(texts[0]).Length * 0);
        await new CEvalRun(asker, new CEvalOptions(Variant(name), "val")).RunAsync(Data(examples: 7));
        var places = Enumerable.Range(0, 5).Select(i => seen.IndexOf($"例{i}？", StringComparison.Ordinal)).ToList();
        Assert.All(places, p => Assert.True(p >= 0));
        Assert.Equal(places.Order(), places);
        Assert.True(places[4] < seen.IndexOf("问？", StringComparison.Ordinal));
        Assert.DoesNotContain("例5？", seen);

        string Keep(string text)
        {
            seen = text;
            return "A";
        }
    }

    [Fact]
    public async Task A_short_context_loses_the_last_examples_and_the_report_says_so()
    {
        var asker = _respondents.Answering(_ => "A");
        var small = new Asker(asker.Model with { Facts = asker.Model.Facts with { ContextLength = 400 }, CountTokens = text => text.Length }, _respondents.Open("small.jsonl"), 1);
        var answer = Assert.Single(await new CEvalRun(small, new CEvalOptions(Variant("opencompass-gen"), "val") { MaxTokens = 60 }).RunAsync(Data(examples: 5)));
        Assert.InRange(answer.Shots, 1, 4);
        var asked = string.Join('\n', _respondents.Asked[^1].Messages.Select(m => m.Text));
        Assert.Contains("例0？", asked);
        Assert.DoesNotContain("例4？", asked);
    }

    [Fact]
    public void Perplexity_counts_every_token_and_not_the_likelihood_alone()
    {
        // The second is less likely as a whole, and yet easier a token: -4/4 against -3/2.
        Assert.Equal(1, new SharedTextLikelihoods(-1, 1, [-2, -3], [1, 3]).Likeliest);
        Assert.Equal(0, new SharedTextLikelihoods(null, 1, [-2, -3], [1, 1]).Likeliest);

        // Without the shared beginning it would be the first.
        Assert.Equal(1, new SharedTextLikelihoods(-30, 9, [-1.2, -2.5], [1, 2]).Likeliest);
    }

    [Fact]
    public void Reading_by_likelihood_is_never_used_behind_reasoning() =>
        Assert.All(CEvalVariant.All.Where(v => v.Form is CEvalForm.ChatReasoned or CEvalForm.RoundsReasoned), v => Assert.False(v.Reading is CEvalReading.LikeliestLetter or CEvalReading.LowestPerplexity));

    [Fact]
    public async Task The_counselling_judge_sees_rubric_and_history_as_system_and_the_bare_reply_as_user_at_temperature_zero()
    {
        using var judged = new Respondents();
        var judge = new ModelJudge("judge", judged.Answering(_ => "<think>[0, 0, 0, 0] 太严了</think>[2, 3, 3, 1]"), new JudgeSettings(0, 1024));
        var dialogue = CounsellingData.Parse("T", "1", """["求助者：我睡不着","支持者：金句一","求助者：怕汇报","支持者：金句二"]""", "x");
        var turns = await new CounsellingRun(_respondents.Answering(_ => "慢慢说，我在听。"), [judge], new CounsellingOptions()).RunAsync(new CounsellingData([dialogue], "data", "0"));
        Assert.Equal(2, judged.Asked.Count);
        foreach (var (messages, sampling) in judged.Asked)
        {
            Assert.Equal([ChatRole.System, ChatRole.User], messages.Select(m => m.Role));
            Assert.Equal("慢慢说，我在听。", messages[1].Text);
            Assert.Contains("专业性（0 到 3 分）", messages[0].Text);
            Assert.DoesNotContain("慢慢说", messages[0].Text);
            Assert.Equal(0, sampling.Temperature);
        }

        Assert.Contains(judged.Asked, a => a.Messages[0].Text.Contains("支持者：金句一", StringComparison.Ordinal) && !a.Messages[0].Text.Contains("金句二", StringComparison.Ordinal));
        Assert.All(turns, t => Assert.Equal([2, 3, 3, 1], t.Verdicts[0].Scores!));
    }

    [Fact]
    public async Task The_safety_judge_sees_the_scripted_dialogue_and_the_models_last_answer_alone()
    {
        using var judged = new Respondents();
        var judge = new ModelJudge("judge", judged.Answering(_ => "Score:[[8]]/[[7]]/[[9]]"), new JudgeSettings(0.7f, 2048));
        var cases = new[]
        {
            new SafeDialogueCase("1", "Ethics", "Role Play", "", "zh", [new("问0", "金答0"), new("问1", "金答1")]),
            new SafeDialogueCase("2", "Privacy", "Role Play", "", "en", [new("ask", "gold")]),
        };
        var run = new SafeDialogueRun(_respondents.Answering(_ => "模型答"), judge, new SafeDialogueOptions());
        var dialogues = await run.RunAsync(new SafeDialogueData(cases, "data", "0"));
        Assert.All(judged.Asked, a => Assert.Equal((0.7f, 2048), (a.Sampling.Temperature, a.Sampling.MaxTokens)));
        var last = judged.Asked.Single(a => a.Messages[1].Text.Contains("问1", StringComparison.Ordinal)).Messages;
        Assert.Contains("用户：问0\n助手：金答0\n用户：问1", last[1].Text);
        Assert.EndsWith("模型答", last[1].Text);
        Assert.DoesNotContain("金答1", last[1].Text);
        Assert.NotEqual(last[0].Text, judged.Asked.Single(a => a.Messages[1].Text.Contains("ask", StringComparison.Ordinal)).Messages[0].Text);

        // Means by language and combined, and no average over the three abilities anywhere.
        var report = SafeDialogueReport.Of(Respondents.Manifest("SafeDialBench", judges: run.Judge), run, dialogues);
        Assert.Equal(["all", "en", "zh"], report.Groups.Select(g => g.Language).Distinct().Order());
        Assert.All(report.Groups, g => Assert.Equal([8, 7, 9], g.Means));
        Assert.Equal(["attackSuccess", "consistency", "handling", "identification"], report.Figures.Select(f => f.Id).Order());
    }

    [Fact]
    public void Runs_with_other_judges_are_not_compared_in_silence()
    {
        RunSummary Summary(string name, string judge) => new(
            Respondents.Manifest("CPsyCounE", name, new JudgeFacts(judge, new ModelFacts(judge, "test"), 0, 10)),
            [new Figure("safety", "安全", "Safety", Bootstrap.Mean([1, 1], 1), 1)],
            [.. Enumerable.Range(0, 2).Select(i => new ScoredItem($"{i}", "g", 0.5, new Dictionary<string, double> { ["safety"] = 1 }))]);
        Assert.Contains(RunComparison.Of([Summary("a", "gpt"), Summary("b", "r1")]).Remarks, r => r.Contains("judge", StringComparison.Ordinal));
        Assert.DoesNotContain(RunComparison.Of([Summary("a", "gpt"), Summary("b", "gpt")]).Remarks, r => r.Contains("judge", StringComparison.Ordinal));
    }

    private static CEvalVariant Variant(string name) => CEvalVariant.All.Single(v => v.Name == name);

    private static CEvalData Data(int examples) => new(
        [Question("9", "问？")],
        Enumerable.Range(0, examples).Select(i => Question($"{i}", $"例{i}？")).ToLookup(q => q.Subject), "data", "0");

    private static CEvalQuestion Question(string id, string text) => new("logic", id, text, ["甲", "乙", "丙", "丁"], "A", "因为。");
}
