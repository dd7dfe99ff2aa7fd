using System.Text.RegularExpressions;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Guard;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Crisis;

/// <summary>Every text that a person in distress may be shown, held against the rules for such texts.</summary>
public sealed class PresetTextTests
{
    private static readonly string[] Languages = ["zh-CN", "zh-TW", "yue", "en"];
    private static readonly string[] Tiers = ["T1", "T2", "T3", "T4", "TO", "TA", "TF"];
    private static readonly HotlineDirectory Hotlines = new();
    private static readonly PresetTexts Texts = new(Hotlines);

    private static IEnumerable<(string Family, string Language, PresetText Text)> Crisis =>
        from set in Texts.All
        where !set.Family.StartsWith("harm.", StringComparison.Ordinal) && !set.Family.StartsWith("guard.", StringComparison.Ordinal) && !set.Family.StartsWith("model.", StringComparison.Ordinal)
        from text in set.Texts
        select (set.Family, set.Language, text);

    [Fact]
    public void Every_tier_has_enough_words_in_every_language()
    {
        foreach (var language in Languages)
        {
            foreach (var tier in Tiers)
            {
                var count = Crisis.Count(t => t.Family == tier && t.Language == language);
                Assert.True(count >= (language == "zh-CN" ? 4 : 2), $"{tier} has {count} texts in {language}");
            }
        }
    }

    [Fact]
    public void Every_follow_up_exists_in_every_language()
    {
        string[] families = [
            .. from tier in new[] { "T2", "acute" } from answer in new[] { "contact", "refusal", "denial", "other" } select $"{tier}.{answer}",
            .. from tier in new[] { "TO", "TA" } from answer in new[] { "contact", "other" } select $"{tier}.{answer}"];
        Assert.Empty(from family in families from language in Languages where Crisis.Count(t => t.Family == family && t.Language == language) < 2 select $"{family} {language}");
    }

    [Fact]
    public void Every_crisis_text_asks_exactly_one_question_and_ends_with_it() =>
        Assert.All(Crisis, t =>
        {
            Assert.True(Unquoted(t.Text.Text).Count(c => c is '？' or '?') == 1, $"{t.Text.Id}: {t.Text.Text}");
            Assert.True(t.Family == "T1" || t.Text.Text[^1] is '？' or '?', $"{t.Text.Id} does not end with its question");
        });

    [Fact]
    public void No_crisis_text_is_longer_than_five_sentences() =>
        Assert.All(Crisis, t =>
        {
            var sentences = Regex.Matches(Unquoted(t.Text.Text), "[。？！]|[.?!](?=\\s|$)").Count;
            Assert.True(sentences is >= 2 and <= 5, $"{t.Text.Id} has {sentences} sentences");
        });

    [Fact]
    public void Every_first_answer_to_danger_names_a_line_and_a_person()
    {
        foreach (var (family, language, text) in Crisis.Where(t => t.Family is "T2" or "T3" or "T4" or "TO" or "TA" or "TF"))
        {
            Assert.True(Hotlines.Lines.Any(l => text.Text.Contains(l.Number, StringComparison.Ordinal)), $"{text.Id} names no line");
            Assert.True(Regex.IsMatch(text.Text, "人|家人|朋友|邻居|鄰居|老師|someone|one person|a person|adult|neighbour|people|family|near you"), $"{text.Id} names no person");
        }
    }

    [Fact]
    public void Every_answer_to_ideation_or_plan_asks_for_distance_from_the_means() =>
        Assert.All(Crisis.Where(t => t.Family is "T2" or "T3"), t => Assert.True(
            Regex.IsMatch(t.Text.Text, "远|遠|放到|够不着|离开|離開|交给|交給|交畀|拉开|out of reach|distance|away from|leave the|hand over|放低|放去"), t.Text.Id));

    [Fact]
    public void Act_begun_puts_the_ambulance_first() =>
        Assert.All(Crisis.Where(t => t.Family == "T4"), t => Assert.Matches("120|119|999|911", t.Text.Text[..Math.Min(60, t.Text.Text.Length)]));

    [Fact]
    public void No_text_shames_lectures_promises_diagnoses_or_bargains() =>
        Assert.All(Texts.All.SelectMany(s => s.Texts), t => Assert.False(
            Regex.IsMatch(t.Text, "想开点|加油|坚强点|自私|懦弱|傻|答应我不|保证不|发誓|你没有(?:计划|打算)吧|力不从心|无能为力|抑郁症|永远陪|别离开我|一切都会好起来|为父母想想|比你惨|you promise|don't be selfish|everything will be fine"), $"{t.Id}: {t.Text}"));

    [Fact]
    public void No_text_would_be_cut_by_our_own_guard() =>
        Assert.All(Texts.All.SelectMany(s => s.Texts).Where(t => !t.Id.StartsWith("TF", StringComparison.Ordinal)), t =>
        {
            var guard = new ReplyGuard(Hotlines, GuardRule.All);
            Assert.Null((guard.Add(t.Text).Broken ?? guard.Finish().Broken)?.Id);
        });

    [Fact]
    public void Refusals_carry_no_help_line() =>
        Assert.All(Texts.All.Where(s => s.Family.StartsWith("harm.", StringComparison.Ordinal)).SelectMany(s => s.Texts), t => Assert.DoesNotMatch("[0-9]{3}", t.Text));

    [Fact]
    public void Every_request_for_harm_and_every_guard_rule_has_a_text()
    {
        var families = Texts.All.Select(s => s.Family).ToHashSet();
        Assert.Empty(Turns.Assessor.Book.Rules.Where(r => r.Id.StartsWith("harm.", StringComparison.Ordinal)).Select(r => r.Id).Except(families));
        Assert.Empty(GuardRule.All.Select(r => r.Family).Append("guard.number").Except(families));
    }

    [Fact]
    public void A_text_comes_back_only_when_all_others_were_used()
    {
        var used = new HashSet<string>();
        var said = Enumerable.Range(0, 12).Select(turn => Texts.Choose("T2", "zh-CN", used, turn)).ToList();
        var count = said.Distinct().Count();
        Assert.True(count >= 4);
        Assert.Equal(count, said.Take(count).Distinct().Count());
        Assert.All(said.Zip(said.Skip(1)), pair => Assert.NotEqual(pair.First, pair.Second));
    }

    [Fact]
    public void Numbers_live_in_the_directory_alone()
    {
        var agent = Path.Combine(ReferenceGraphTests.Root, "src/PsyLite.Agent");
        var files = Directory.GetFiles(agent, "*.*", SearchOption.AllDirectories)
            .Where(f => f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".yaml", StringComparison.Ordinal) || f.EndsWith(".txt", StringComparison.Ordinal)).ToList();
        Assert.True(files.Count > 30, $"{files.Count} files");
        var numbers = Hotlines.Lines.Select(l => l.Number).Where(n => n.Any(char.IsAsciiDigit)).Distinct().ToList();
        var isNumber = new Regex($"(?<![0-9A-Za-z])(?:{string.Join('|', numbers.Select(Regex.Escape))})(?![0-9A-Za-z])");
        foreach (var file in files.Where(f => !f.EndsWith("hotlines.yaml", StringComparison.Ordinal)))
        {
            var text = File.ReadAllText(file);
            // Rules recognise what people say about having called a line; they are never shown.
            var isShown = !file.Contains("/Rules/", StringComparison.Ordinal) && !file.Contains("/Tables/", StringComparison.Ordinal);
            Assert.False(isShown && isNumber.IsMatch(text), $"{Path.GetFileName(file)} holds {isNumber.Match(text).Value}");
        }
    }

    [Fact]
    public void Every_number_has_a_source_and_was_verified_in_the_last_ninety_days()
    {
        Assert.True(Hotlines.Lines.Count >= 15);
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        Assert.All(Hotlines.Lines, l =>
        {
            Assert.False(string.IsNullOrWhiteSpace(l.Source));
            Assert.True(today.DayNumber - l.VerifiedOn.DayNumber <= 90, $"{l.Id} was verified on {l.VerifiedOn}: look it up again and renew the date in hotlines.yaml");
        });
    }

    [Theory]
    [InlineData("我最近很累", "zh-CN")]
    [InlineData("我最近覺得撐不下去，好難過", "zh-TW")]
    [InlineData("唔想再捱落去喇", "yue")]
    [InlineData("I don't want to be here anymore", "en")]
    [InlineData("每天都好depressed，想kill myself", "zh-CN")]
    [InlineData("嗯", "zh-CN")]
    public void Answers_come_in_the_language_of_the_message(string text, string language) =>
        Assert.Equal(language, LanguageOf.Text(text, Turns.Assessor.Normaliser));

    [Theory]
    [InlineData("zh-HK", "yue")]
    [InlineData("zh-Hant-TW", "zh-TW")]
    [InlineData("zh-Hans", "zh-CN")]
    [InlineData("en-GB", "en")]
    [InlineData("fr", null)]
    public void Tags_name_languages(string tag, string? language) => Assert.Equal(language, LanguageOf.Tag(tag));

    [Fact]
    public void Every_tier_of_crisis_leads_to_texts_that_exist()
    {
        var families = Texts.All.Select(s => s.Family).ToHashSet();
        foreach (var before in Enum.GetValues<Tier>())
        {
            foreach (var after in Enum.GetValues<Tier>().Where(Severity.IsCrisis))
            {
                foreach (var answer in new[] { "answer.contact", "answer.refusal", "answer.denial", "none" })
                {
                    var findings = Findings.None with { Signals = [new RiskSignal(answer, Tier.T0, 0, 0)] };
                    var assessment = new Assessment(Route.Danger, after, 1, [], []);
                    var verdict = new RiskVerdict(assessment, findings, new RiskCarry(before, 0, 0), new RiskCarry(after, 0, 0), 1, null);
                    Assert.Contains(CrisisReplies.Family(verdict), families);
                }
            }
        }
    }

    /// <summary>Words that the text puts into someone's mouth are not its own questions.</summary>
    private static string Unquoted(string text) => Regex.Replace(text, "“[^”]*”|「[^」]*」|\"[^\"]*\"", "…");
}
