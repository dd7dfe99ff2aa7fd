using System.Text.RegularExpressions;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Guard;
using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Crisis;

/// <summary>Every text that a person in distress may be shown, held against the rules for such texts.</summary>
public sealed class PresetTextTests
{
    private static readonly string[] Languages = ["zh-CN", "zh-TW", "yue", "en"];

    public static TheoryData<string> Regions => [.. PresetGrades.Hotlines.Regions];

    [Fact]
    public void Every_family_is_there_in_every_language()
    {
        var families = PresetGrades.Texts.All.Select(s => s.Family).Distinct().ToList();
        Assert.True(families.Count > 60, $"{families.Count} families");
        Assert.Empty(from family in families from language in Languages where !PresetGrades.Texts.Has(family, language) select $"{family} {language}");
        Assert.Empty(PresetGrades.Texts.Problems);
    }

    [Fact]
    public void Every_tier_has_enough_words_to_vary()
    {
        string[] tiers = ["T1", "T2", "T3", "T4", "TO", "TA", "TF", "checkin"];
        Assert.Empty(from set in PresetGrades.Texts.All
                     where tiers.Contains(set.Family) && set.Texts.Count < (set.Language.StartsWith("zh") && set.Family != "checkin" ? 4 : 2)
                     select $"{set.Family} {set.Language}: {set.Texts.Count}");
    }

    [Theory]
    [MemberData(nameof(Regions))]
    public void No_preset_has_a_red_fault_in_any_region(string region)
    {
        var grades = PresetGrades.In(region).ToList();
        Assert.True(grades.Count > 250, $"{grades.Count} presets");
        var faults = grades.Where(g => g.Reds.Count > 0).Select(g => $"{g.Id}: {string.Join(", ", g.Reds)} | {g.Text}").ToList();
        Assert.True(faults.Count == 0, string.Join('\n', faults));
        var poor = grades.Where(g => PresetGrades.IsCrisis(g.Family) && g.Score < 4)
            .Select(g => $"{g.Id}: {g.Score} [{string.Concat(g.Dimensions.Select(d => d ? 1 : 0))}] | {g.Text}").ToList();
        Assert.True(poor.Count == 0, string.Join('\n', poor));
    }

    [Fact]
    public void A_crisis_text_ends_with_its_question() =>
        Assert.Empty(PresetGrades.In("CN").Where(g => PresetGrades.IsCrisis(g.Family) && g.Text[^1] is not ('？' or '?')).Select(g => g.Id));

    [Theory]
    [InlineData("你没有计划吧？", "negative-pull question")]
    [InlineData("答应我不要做傻事，好吗？", "contract")]
    [InlineData("我会一直在这里陪你。你还好吗？", "promise no program can keep")]
    [InlineData("一。二。三。四。五。六？", "6 sentences")]
    [InlineData("你还好吗？你在哪？", "2 questions")]
    [InlineData("I'm so relieved, I'm relieved you wrote. Are you alone?", "claims a feeling")]
    [InlineData("难受就打 12356。你身边有人吗？", "no resource that is open day and night")]
    [InlineData("难受就打 120。你还好吗？", "no distance from means")]
    public void The_grades_see_faults(string text, string fault)
    {
        var texts = new PresetTexts(PresetGrades.Hotlines, [$"T2:\n  zh-CN:\n    - '{text.Replace("'", "''")}'\n"]);
        var grade = PresetGrades.Grade("x", "T2", "zh-CN", texts.Choose("T2", "zh-CN", new HashSet<string>(), 0).Text);
        Assert.Contains(fault, grade.Reds);
        Assert.True(grade.Score < 4);
    }

    [Fact]
    public void Refusals_carry_no_help_line() =>
        Assert.All(PresetGrades.In("CN").Where(g => g.Family.StartsWith("harm.", StringComparison.Ordinal)), g => Assert.DoesNotMatch("[0-9]{3}", g.Text));

    [Fact]
    public void Every_request_for_harm_and_every_guard_rule_has_a_text()
    {
        var families = PresetGrades.Texts.All.Select(s => s.Family).ToHashSet();
        Assert.Empty(Turns.Assessor.Book.Rules.Where(r => r.Id.StartsWith("harm.", StringComparison.Ordinal)).Select(r => r.Id).Except(families));
        Assert.Empty(GuardRule.All.Append(GuardRule.Number).Select(r => r.Family).Append(GuardRule.WorriedFamily).Except(families));
    }

    [Fact]
    public void A_text_comes_back_only_when_all_others_were_used()
    {
        var used = new HashSet<string>();
        var said = Enumerable.Range(0, 12).Select(turn => PresetGrades.Texts.Choose("T2", "zh-CN", used, turn).Text).ToList();
        var count = said.Distinct().Count();
        Assert.True(count >= 4);
        Assert.Equal(count, said.Take(count).Distinct().Count());
        Assert.All(said.Zip(said.Skip(1)), pair => Assert.NotEqual(pair.First, pair.Second));
    }

    [Fact]
    public void A_preset_is_known_again_in_a_history()
    {
        foreach (var (_, language, texts) in PresetGrades.Texts.All.Where(s => !s.Family.EndsWith(".title", StringComparison.Ordinal) && !s.Family.StartsWith("contact.", StringComparison.Ordinal)))
        {
            foreach (var text in texts)
            {
                var shown = PresetGrades.Texts.Fill(text.Text, "HK", language);
                Assert.Equal([text.Id], PresetGrades.Texts.Recognise(shown).Select(t => t.Id));
            }
        }
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
        var families = PresetGrades.Texts.All.Select(s => s.Family).ToHashSet();
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
}
