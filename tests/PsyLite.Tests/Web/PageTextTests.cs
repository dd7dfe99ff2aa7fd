using PsyLite.Agent.Risk;
using PsyLite.Store.Conversations;
using PsyLite.Tests.Agent;
using PsyLite.Web;
using PsyLite.Web.Live;

namespace PsyLite.Tests.Web;

public sealed class PageTextTests
{
    [Fact]
    public void Item_9_is_recognised_as_danger_in_every_answer_and_language()
    {
        var assessor = new RiskAssessor();
        foreach (var line in CheckInText.Chinese.Item9.Concat(CheckInText.English.Item9))
        {
            Assert.Equal(Route.Danger, assessor.Assess([new(Microsoft.Extensions.AI.ChatRole.User, line)], new PsyLite.Agent.ConversationState()).Route);
        }
    }

    [Theory]
    [InlineData(Questionnaire.Phq9, new[] { 0, 4, 5, 9, 10, 14, 15, 19, 20, 27 }, new[] { 0, 0, 1, 1, 2, 2, 3, 3, 4, 4 })]
    [InlineData(Questionnaire.Gad7, new[] { 0, 4, 5, 9, 10, 14, 15, 21 }, new[] { 0, 0, 1, 1, 2, 2, 3, 3 })]
    public void Scores_fall_into_the_published_bands(Questionnaire questionnaire, int[] scores, int[] bands) =>
        Assert.Equal(bands, scores.Select(s => CheckInText.Band(questionnaire, s)));

    [Fact]
    public void Both_languages_ask_the_same_items()
    {
        foreach (var text in new[] { CheckInText.Chinese, CheckInText.English })
        {
            Assert.Equal((9, 7, 4, 5, 4, 3), (text.Phq9.Count, text.Gad7.Count, text.Answers.Count, text.Phq9Bands.Count, text.Gad7Bands.Count, text.Item9.Count));
        }
    }

    [Fact]
    public void Sentences_are_told_when_they_are_finished_and_once()
    {
        var reader = new SentenceReader();
        Assert.Empty(reader.Read("听起来", false));
        Assert.Equal(["听起来很累。"], reader.Read("听起来**很累**。你", false));
        Assert.Empty(reader.Read("听起来**很累**。你想", false));
        Assert.Equal(["你想先说哪一件？"], reader.Read("听起来**很累**。你想先说哪一件？", false));
        Assert.Empty(reader.Read("听起来**很累**。你想先说哪一件？", true));

        // The guard puts other words in place: they are told whole.
        Assert.Equal(["请先打这个电话。"], reader.Read("请先打这个电话。", false));
        Assert.Equal(["好"], reader.Read("请先打这个电话。好", true));
        Assert.Equal(["About 3.5 hours. "], new SentenceReader().Read("About 3.5 hours. And", false).Select(s => s + " "));
    }

    [Fact]
    public void A_break_is_due_after_two_hours_on_end_and_after_one_for_minors()
    {
        var time = new ManualTime();
        var usage = new UsageClock(time);
        List<int> Due(string owner, bool isMinor, TimeSpan step)
        {
            var due = new List<int>();
            for (var i = 0; i < 16; i++)
            {
                if (usage.Count(owner, isMinor))
                {
                    due.Add(i);
                }

                time.Pass(step);
            }

            return due;
        }

        Assert.Equal([8], Due("a", false, TimeSpan.FromMinutes(15)));
        Assert.Equal([4, 8, 12], Due("b", true, TimeSpan.FromMinutes(15)));
        Assert.Empty(Due("c", true, TimeSpan.FromMinutes(31)));
    }

    [Fact]
    public void Settings_remember_the_latest_risk_only()
    {
        var day = new DateTimeOffset(2026, 11, 22, 3, 0, 0, TimeSpan.Zero);
        var settings = new PersonSettings().After(new PsyLite.Agent.ConversationState { LastRiskAt = day, LastDangerAt = day });
        Assert.Equal(settings, settings.After(new PsyLite.Agent.ConversationState { LastRiskAt = day.AddDays(-1) }));
        Assert.Equal(day, settings.Begin("c1").LastDangerAt);
    }
}
