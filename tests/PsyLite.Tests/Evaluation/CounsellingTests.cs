using Microsoft.Extensions.AI;
using PsyLite.Evaluation.Counselling;
using PsyLite.Evaluation.Judging;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Tests.Evaluation;

public sealed class CounsellingTests : IDisposable
{
    private readonly Respondents _respondents = new();

    public void Dispose() => _respondents.Dispose();

    [Fact]
    public void The_shipped_set_has_the_official_shape()
    {
        var data = CounsellingData.Read(Path.Combine(ReferenceGraphTests.Root, "eval-sets", "cpsycoune"));
        Assert.Equal(45, data.Dialogues.Count);
        Assert.All(data.Dialogues, d => Assert.InRange(d.ClientTurns, 4, 9));
        Assert.Equal([35, 31, 36, 34, 35, 29, 35, 30, 31], data.Dialogues.GroupBy(d => d.Topic).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.Sum(d => d.ClientTurns)));
        Assert.Equal(296, data.Dialogues.Sum(d => d.Turns().Count()));
        Assert.All(data.Dialogues.GroupBy(d => d.Topic), g => Assert.Equal(5, g.Count()));
        Assert.Equal(data.Dialogues.Sum(d => d.Lines.Count), data.Dialogues.SelectMany(d => d.Lines).Select(l => l.Text).Distinct().Count());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("[null]")]
    [InlineData("[\"求助者：a\",\"求助者：b\"]")]
    [InlineData("[\"支持者：a\",\"求助者：b\"]")]
    [InlineData("[\"我：a\"]")]
    [InlineData("[1]")]
    [InlineData("[\"求助者：a\"")]
    public void A_broken_dialogue_is_named(string json) => Assert.Contains("x.json", Assert.Throws<InvalidDataException>(() => CounsellingData.Parse("t", "1", json, "x.json")).Message);

    [Fact]
    public async Task Every_turn_comes_after_the_gold_history_and_never_after_the_models_own_reply()
    {
        await Run(_respondents.Answering(_ => "模型自己的话"), [], new CounsellingOptions { Form = CounsellingForm.Official });
        var prompts = _respondents.Asked.Select(a => Assert.Single(a.Messages)).ToList();
        Assert.Equal(3, prompts.Count);
        Assert.All(prompts, p => Assert.DoesNotContain("模型自己的话", p.Text));
        var last = prompts.Single(p => p.Text.Contains("我想试试"));
        Assert.Contains("求助者：我睡不着\n支持者：金句一\n求助者：怕汇报\n支持者：金句二", last.Text);
        Assert.Contains("二十年", last.Text);
    }

    [Fact]
    public async Task As_chat_the_history_is_turns_without_a_persona()
    {
        await Run(_respondents.Answering(_ => "好"), [], new CounsellingOptions { Form = CounsellingForm.Chat });
        var longest = _respondents.Asked.MaxBy(a => a.Messages.Count).Messages;
        Assert.Equal(["我睡不着", "金句一", "怕汇报", "金句二", "我想试试"], longest.Select(m => m.Text));
        Assert.Equal(ChatRole.Assistant, longest[1].Role);
    }

    [Theory]
    [InlineData("[1, 2, 3, 1]", true)]
    [InlineData("得分：[1,2，3、1]", true)]
    [InlineData("[1.5, 2.5, 3, 0]", true)]
    [InlineData("[1, 2, 3, 1]\n[1, 2, 3, 1]", true)]
    [InlineData("[1, 2, 3, 1] 或 [1, 2, 2, 1]", false)]
    [InlineData("[1, 2, 3]", false)]
    [InlineData("[3, 2, 3, 1]", false)]
    [InlineData("[1, 4, 3, 1]", false)]
    [InlineData("[-1, 2, 3, 1]", false)]
    [InlineData("[1e0, 2, 3, 1]", false)]
    [InlineData("全面性 1，专业性 2，真实性 3，安全性 1", false)]
    [InlineData("", false)]
    public void A_verdict_is_read_strictly(string said, bool isRead) => Assert.Equal(isRead, CounsellingPrompts.Read(said, CounsellingScale.Notebook) is not null);

    [Fact]
    public void The_scale_of_the_readme_goes_to_four()
    {
        Assert.Equal([1, 4, 3, 1], CounsellingPrompts.Read("[1, 4, 3, 1]", CounsellingScale.Readme)!);
        Assert.Contains("0 到 4 分", CounsellingPrompts.JudgeFor(CounsellingScale.Readme));
        Assert.Contains("0 到 3 分", CounsellingPrompts.JudgeFor(CounsellingScale.Notebook));
    }

    [Fact]
    public async Task An_unreadable_verdict_is_asked_again_then_reported_and_never_dropped()
    {
        // Of three turns: one verdict is right at once, one after a reminder, one never.
        using var judged = new Respondents();
        var judge = Judge(judged, m => m[0].Text.Contains("我想试试") ? "无可奉告" : m[0].Text.Contains("怕汇报") && m.Count == 2 ? "很好" : "[2, 3, 3, 1]");
        var options = new CounsellingOptions();
        var turns = await Run(_respondents.Answering(_ => "嗯，我在听。"), [judge], options);
        Assert.Equal([1, 2, 3], turns.Select(t => t.Verdicts[0].Attempts));
        Assert.Contains(judged.Asked, a => a.Messages[^1].Text == CounsellingPrompts.Reminder);
        var report = CounsellingReport.Of(Respondents.Manifest("CPsyCounE", judges: judge.Facts), turns, options);
        Assert.Equal([1], report.Unread);
        Assert.Equal(3, report.Turns.Count);
        Assert.Null(report.Turns[2].Scores[0]);
        Assert.Equal((2, 4.0 / 3, 2), (report.Figures[0].Estimate.Value, Math.Round(report.Bounds[0].Low, 10) == Math.Round(4.0 / 3, 10) ? 4.0 / 3 : 0, report.Bounds[0].High));
        Assert.Contains("读不出", report.Page());
    }

    [Fact]
    public void Both_aggregations_are_as_published()
    {
        // Two dialogues: 3 turns of 1, 1, 2 (1.33 after two decimals) and one turn of 2.
        var (a, b) = (Dialogue("A", 3), Dialogue("B", 1));
        JudgedTurn Judged(CounsellingTurn turn, double score) => new(turn, new Answer("x"), [new Verdict([score, score, score, 1], "", 1)]);
        IReadOnlyList<JudgedTurn> turns = [.. a.Turns().Zip([1.0, 1, 2], Judged), .. b.Turns().Select(t => Judged(t, 2))];
        double Total(CounsellingAggregation aggregation) => CounsellingRun.Items(turns, aggregation).Sum(i => i.Weight * i.Scores["professionalism"]);
        Assert.Equal((1.33 + 2) / 2, Total(CounsellingAggregation.PerDialogue), 10);
        Assert.Equal(6.0 / 4, Total(CounsellingAggregation.Pooled), 10);
    }

    [Fact]
    public async Task Two_judges_are_held_against_each_other()
    {
        using var first = new Respondents();
        using var second = new Respondents();
        var judges = (ModelJudge[])[Judge(first, m => m[0].Text.Contains("怕汇报") ? "[1, 1, 1, 1]" : "[2, 3, 3, 1]"), Judge(second, m => m[0].Text.Contains("怕汇报") ? "[1, 1, 1, 1]" : "[2, 3, 2, 1]", "other")];
        var options = new CounsellingOptions();
        var turns = await Run(_respondents.Answering(_ => "好"), judges, options);
        var report = CounsellingReport.Of(Respondents.Manifest("CPsyCounE", judges: [judges[0].Facts, judges[1].Facts]), turns, options);
        Assert.Equal(4, report.Agreement.Count);
        Assert.Equal(1, report.Agreement.Single(x => x.Metric == "professionalism").Kappa);
        Assert.InRange(report.Agreement.Single(x => x.Metric == "authenticity").WeightedKappa!.Value, 0.01, 0.99);
        Assert.Null(report.Agreement.Single(x => x.Metric == "safety").Kappa);
        Assert.Single(report.OtherJudges);
        Assert.Contains("一致性", report.Page());
    }

    [Fact]
    public async Task Rules_tell_a_warm_reply_from_a_harsh_one_and_say_that_they_compare_with_nobody()
    {
        var turn = Dialogue("A", 1).Turns().Single();
        var warm = CounsellingRules.Score(turn, "听起来睡不着很不容易，心里压着什么事？今晚可以先试试写下来。", CounsellingScale.Notebook);
        var harsh = CounsellingRules.Score(turn, "你就是想太多，矫情。", CounsellingScale.Notebook);
        Assert.True(warm.Sum() > harsh.Sum() + 3);
        Assert.Equal((1, 0), (warm[3], harsh[3]));
        Assert.Equal(1, CounsellingRules.Score(turn, "睡不着的滋味不好受，这不是矫情。", CounsellingScale.Notebook)[3]);
        var options = new CounsellingOptions();
        var turns = await Run(_respondents.Answering(_ => "好"), [], options);
        Assert.Contains("不能与任何已发表的分数比较", CounsellingReport.Of(Respondents.Manifest("CPsyCounE", judges: JudgeFacts.Rules), turns, options).Page());
    }

    [Fact]
    public async Task The_rating_form_is_blind_and_its_export_is_read_back()
    {
        var options = new CounsellingOptions();
        var turns = await Run(_respondents.Answering(_ => "甲系统</script><b>的回应"), [], options);
        var report = CounsellingReport.Of(Respondents.Manifest("CPsyCounE", "secret-a", JudgeFacts.Rules), turns, options);
        var (html, key) = RatingForm.Make([("secret-a", report), ("secret-b", report)], CounsellingScale.Notebook, 2, 7);
        Assert.Equal(4, key.Items.Count);
        Assert.DoesNotContain("secret", html);
        Assert.Single(html.Split("</script>").SkipLast(1));
        Assert.DoesNotContain("http", html.Replace("http-equiv", ""));
        var json = ReportJson.Write(new HumanRatings(key.Form, "r1", [.. key.Items.Select(i => new HumanRating(i.Id, i.Run == "secret-a" ? [2, 3, 3, 1] : [1, 0, 1, 1]))]));
        var rated = RatingReport.Of(key, [RatingForm.Read(json, key, "x")]);
        Assert.Equal([2, 3, 3, 1], rated.Runs.Single(r => r.Run == "secret-a").Figures.Select(f => f.Estimate.Value));
        Assert.Equal([1, 0, 1, 1], rated.Runs.Single(r => r.Run == "secret-b").Figures.Select(f => f.Estimate.Value));
        Assert.Contains("secret-b", rated.Page());
        Assert.Throws<InvalidDataException>(() => RatingForm.Read(json.Replace(key.Form, "other"), key, "x"));
        Assert.Throws<InvalidDataException>(() => RatingForm.Read(json.Replace("3,", "9,"), key, "x"));
        Assert.Throws<InvalidDataException>(() => RatingForm.Read("[", key, "x"));
    }

    private static ModelJudge Judge(Respondents respondents, Func<IReadOnlyList<ChatMessage>, string> answer, string name = "judge") =>
        new(name, respondents.Answering(answer), new JudgeSettings(0, 100));

    private static Task<IReadOnlyList<JudgedTurn>> Run(Asker asker, IReadOnlyList<ModelJudge> judges, CounsellingOptions options)
    {
        var dialogue = CounsellingData.Parse("T", "1", """["求助者：我睡不着","支持者：金句一","求助者：怕汇报","支持者：金句二","求助者：我想试试","支持者：金句三"]""", "x");
        return new CounsellingRun(asker, judges, options).RunAsync(new CounsellingData([dialogue], "data", "0"));
    }

    private static CounsellingDialogue Dialogue(string id, int turns) =>
        new("T", id, [.. Enumerable.Range(0, turns).SelectMany(i => (CounsellingLine[])[new(true, $"我睡不着{i}"), new(false, "嗯")])]);
}
