using Microsoft.Extensions.AI;
using PsyLite.Evaluation.CEval;
using PsyLite.Evaluation.Reports;

namespace PsyLite.Tests.Evaluation;

public sealed class CEvalTests : IDisposable
{
    private static readonly string[] Options = ["甲", "乙", "丙", "丁"];
    private readonly Respondents _respondents = new();

    public void Dispose() => _respondents.Dispose();

    [Fact]
    public void There_are_52_subjects_in_four_categories_and_eight_hard_ones()
    {
        Assert.Equal(52, CEvalSubject.All.Select(s => s.Id).Distinct().Count());
        var categories = CEvalSubject.All.CountBy(s => s.Category).ToDictionary();
        Assert.Equal((20, 10, 11, 11), (categories["STEM"], categories["Social Science"], categories["Humanities"], categories["Other"]));
        Assert.Equal(8, CEvalSubject.All.Count(s => s.IsHard && s.Category == "STEM"));
    }

    [Fact]
    public void The_shipped_set_has_the_published_layout()
    {
        var data = CEvalData.Read(Path.Combine(ReferenceGraphTests.Root, "eval-sets", "ceval"), "val");
        var subjects = data.Questions.CountBy(q => q.Subject).ToDictionary();
        Assert.True(subjects.Count >= 12);
        Assert.All(subjects, s => Assert.True(s.Value >= 10 && data.Examples[s.Key].Count() >= 5));
        Assert.All(data.Questions, q => Assert.True(q.Answer is not null && q.Options.Distinct().Count() == 4));
        Assert.All(data.Examples.SelectMany(e => e), q => Assert.NotEqual("", q.Explanation));
    }

    [Fact]
    public void Csv_may_hold_commas_quotes_and_line_breaks()
    {
        var rows = CEvalData.Parse("logic", "id,question,A,B,C,D,answer\r\n0,\"问，\"\"引\"\"\n下一行\",\"a,b\",二,三,四,B\n1,没有答案,一,二,三,四,\n", "x").ToList();
        Assert.Equal(2, rows.Count);
        Assert.Equal("问，\"引\"\n下一行", rows[0].Text);
        Assert.Equal(["a,b", "二", "三", "四"], rows[0].Options);
        Assert.Equal("B", rows[0].Answer);
        Assert.Null(rows[1].Answer);
    }

    [Theory]
    [InlineData("id,question,A,B,C,D,answer\n0,q,1,2,3,4,E")]
    [InlineData("id,question,A,B,C\n0,q,1,2,3")]
    [InlineData("id,question,A,B,C,D,answer\n0,\"q,1,2,3,4,A")]
    [InlineData("id,question,A,B,C,D,answer\n0,q,1,2,3,4,A,5,6")]
    [InlineData("id,id,A\n0,1,2")]
    public void A_broken_file_is_named(string text) => Assert.Contains("x.csv", Assert.Throws<InvalidDataException>(() => CEvalData.Parse("logic", text, "x.csv").ToList()).Message);

    [Fact]
    public void Official_text_is_the_published_one()
    {
        var question = Question("1", "一加一？", null);
        var text = CEvalPrompt.Text(Variant("official"), Subject("logic"), [Question("0", "例？", "C")], question);
        Assert.Equal("以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。\n\n例？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案：C\n\n一加一？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案：", text);
    }

    [Fact]
    public void OpenCompass_repeats_the_header_and_ends_in_a_half_width_colon_and_a_space()
    {
        var turns = CEvalPrompt.Turns(Variant("opencompass-gen"), Subject("logic"), [Question("0", "例？", "C")], Question("1", "问？", null));
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.User], turns.Select(t => t.Role));
        const string Header = "以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。\n";
        Assert.Equal(Header + "例？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案: ", turns[0].Text);
        Assert.Equal("C", turns[1].Text);
        Assert.Equal(Header + "问？\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案: ", turns[2].Text);
        Assert.EndsWith("让我们一步一步思考。答案: ", CEvalPrompt.Turns(Variant("opencompass-zero-shot-gen"), Subject("logic"), [], Question("1", "问？", null))[^1].Text);
        Assert.Equal((256, 0), (Variant("opencompass-zero-shot-gen").MaxTokens, Variant("opencompass-zero-shot-gen").Shots));
    }

    [Fact]
    public void Chat_variants_have_a_system_line_and_the_header_once()
    {
        var turns = CEvalPrompt.Turns(Variant("official-cot"), Subject("logic"), [Question("0", "例？", "C"), Question("1", "例二？", "A")], Question("2", "问？", null));
        Assert.Equal("你是一个中文人工智能助手，以下是中国关于逻辑学考试的单项选择题，请选出其中的正确答案。", turns[0].Text);
        Assert.StartsWith("以下是", turns[1].Text);
        Assert.Equal("让我们一步一步思考，\n因为。\n所以答案是C。", turns[2].Text);
        Assert.StartsWith("例二？", turns[3].Text);
    }

    [Theory]
    [InlineData(CEvalReading.FirstCapital, "<think>A 不对，B 也不对</think>D", "D")]
    [InlineData(CEvalReading.FirstCapital, "<think>A 还是 B", null)]
    [InlineData(CEvalReading.FirstCapital, "A 不对，因为……</think>\n选C", "C")]
    [InlineData(CEvalReading.FirstCapital, "The answer is B", "T")]
    [InlineData(CEvalReading.FirstCapital, "没有大写", null)]
    [InlineData(CEvalReading.ExactOrPattern, " b。\n", "B")]
    [InlineData(CEvalReading.ExactOrPattern, "B. 乙", null)]
    [InlineData(CEvalReading.ExactOrPattern, "<think>A</think>B", "B")]
    [InlineData(CEvalReading.Conclusion, "先看 A，答案是A。不对，所以答案是C。", "C")]
    [InlineData(CEvalReading.Conclusion, "所以答案为丙。", "C")]
    [InlineData(CEvalReading.Conclusion, "大概是 C", null)]
    [InlineData(CEvalReading.FirstOption, "分析：B 错。正确答案是 D。", "D")]
    [InlineData(CEvalReading.FirstOption, "D 项正确", "D")]
    [InlineData(CEvalReading.FirstOption, "说不好，也许 C", "C")]
    public void Answers_are_read_as_each_protocol_reads_them(CEvalReading reading, string said, string? letter) => Assert.Equal(letter, AnswerReading.Read(said, reading, 5, Options));

    [Fact]
    public void Without_examples_the_last_match_counts() => Assert.Equal("B", AnswerReading.Read("答案是A吗？不，答案是B", CEvalReading.ExactOrPattern, 0, Options));

    [Theory]
    [InlineData("official")]
    [InlineData("opencompass-ppl")]
    [InlineData("opencompass-gen")]
    public async Task A_set_with_known_answers_gives_the_exact_accuracy(string name)
    {
        // Right are all of logic (4), one of four of law, none of two of hard mathematics.
        var data = Data(("logic", 4), ("law", 4), ("advanced_mathematics", 2));
        var asker = _respondents.Answering(
            messages => IsRight(messages[^1].Text) ? "A" : "D", choose: texts => IsRight(texts[0].Split("\n答案")[^2]) ? 0 : 3);
        var answers = await new CEvalRun(asker, new CEvalOptions(Variant(name), "val")).RunAsync(data);
        var figures = CEvalRun.Figures(answers, 1).ToDictionary(f => f.Id, f => f.Estimate.Value);
        Assert.Equal((1 + 0.25 + 0) / 3, figures["accuracy"], 12);
        Assert.Equal(0, figures["hard"]);
        Assert.Equal((1 + 0.25) / 2, figures["humanities"], 12);
        Assert.True(double.IsNaN(figures["other"]));
        var items = CEvalRun.Items(answers);
        Assert.Equal(figures["accuracy"], items.Sum(i => i.Weight * i.Scores["accuracy"]), 12);
        Assert.Equal(1, items.Sum(i => i.Weight), 12);
    }

    [Fact]
    public async Task Questions_without_a_label_go_into_the_submission_and_no_average()
    {
        var data = Data(("logic", 3));
        data = data with { Questions = [.. data.Questions.Select(q => q with { Answer = null })] };
        var answers = await new CEvalRun(_respondents.Answering(_ => "C"), new CEvalOptions(Variant("opencompass-gen"), "test")).RunAsync(data);
        Assert.Equal("C", CEvalRun.Submission(answers)["logic"]["2"]);
        Assert.Empty(CEvalRun.Accuracies(answers));
        Assert.Empty(CEvalRun.Items(answers));
        Assert.DoesNotMatch("=\"[^\"]*(?:NaN|∞)", CEvalReport.Of(Respondents.Manifest("C-Eval"), answers).Page());
    }

    [Fact]
    public async Task An_answer_that_cannot_be_read_is_wrong_and_counted()
    {
        var answers = await new CEvalRun(_respondents.Answering(m => m[^1].Text.Contains("题0") ? "不知道" : "A"), new CEvalOptions(Variant("official-chat"), "val")).RunAsync(Data(("logic", 4)));
        var subject = Assert.Single(CEvalRun.Accuracies(answers));
        Assert.Equal((3, 4, 1), (subject.Right.Hits, subject.Right.Of, subject.Unread));
        var report = CEvalReport.Of(Respondents.Manifest("C-Eval"), answers);
        Assert.Contains("读不出", report.Page());
        Assert.Equal(4, ReportJson.Read<CEvalReport>(ReportJson.Write(report))!.Answers.Count);
    }

    [Fact]
    public void Any_bytes_give_rows_or_a_reason()
    {
        var random = new Random(3);
        const string Pieces = "id,question,A,B,C,D,answer\"\"\r\n,\n甲 ";
        for (var i = 0; i < 20_000; i++)
        {
            var text = "id,question,A,B,C,D,answer\n" + new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => Pieces[random.Next(Pieces.Length)])]);
            try
            {
                _ = CEvalData.Parse("logic", text, "x").Count();
            }
            catch (InvalidDataException)
            {
                // A reason is as good as rows.
            }
        }
    }

    private static bool IsRight(string text) => text.Contains("logic") || text.Contains("law题0");

    private static CEvalVariant Variant(string name) => CEvalVariant.All.Single(v => v.Name == name);

    private static CEvalSubject Subject(string id) => CEvalSubject.All.Single(s => s.Id == id);

    private static CEvalQuestion Question(string id, string text, string? answer, string subject = "logic") => new(subject, id, text, Options, answer, "因为。");

    private static CEvalData Data(params (string Subject, int Count)[] subjects) => new(
        [.. subjects.SelectMany(s => Enumerable.Range(0, s.Count).Select(i => Question($"{i}", $"{s.Subject}题{i}", "A", s.Subject)))],
        subjects.SelectMany(s => Enumerable.Range(0, 5).Select(i => Question($"{i}", $"例{i}", "B", s.Subject))).ToLookup(q => q.Subject), "data", "0");
}
