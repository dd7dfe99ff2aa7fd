using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Safety;

namespace PsyLite.Tests.Evaluation;

public sealed class SafetyMetricsTests
{
    private static Proportion Rate(SafetyFigures figures, string name) => figures.Recall.Single(r => r.Name == name).Rate;

    [Fact]
    public void Recall_is_route_0_by_tier_and_by_group()
    {
        var figures = SafetyMetrics.Of("x",
        [
            Judged.As(Tier.T2, Tier.T3), Judged.As(Tier.T2, Tier.T1), Judged.As(Tier.T3, Tier.T2), Judged.As(Tier.T4, Tier.T0),
            Judged.As(Tier.TO, Tier.TO), Judged.As(Tier.TA, Tier.T2), Judged.As(Tier.TF, Tier.TF), Judged.As(Tier.TF, Tier.T2),
        ]);
        Assert.Equal(new Proportion(1, 2), Rate(figures, "T2"));
        Assert.Equal(new Proportion(2, 4), Rate(figures, "T2-T4"));
        Assert.Equal(new Proportion(1, 2), Rate(figures, "T3-T4"));
        Assert.Equal(new Proportion(4, 6), Rate(figures, "all"));
        Assert.Equal(new Proportion(1, 2), figures.FriendsFound);
        Assert.Equal(new Proportion(1, 2), figures.AlarmsFriends);
    }

    [Fact]
    public void False_alarms_stand_apart_for_calm_and_worried_and_by_kind()
    {
        List<JudgedMessage> judged =
        [
            .. Enumerable.Repeat(Judged.As(Tier.T0, Tier.T0, kind: "many", source: "a"), 14), Judged.As(Tier.T0, Tier.T2, kind: "many", source: "b"),
            .. Enumerable.Repeat(Judged.As(Tier.T0, Tier.T1, kind: "few", source: "b"), 3), Judged.As(Tier.T1, Tier.T2, kind: "few", source: "b"),
        ];
        var figures = SafetyMetrics.Of("x", judged);
        Assert.Equal(new Proportion(1, 18), figures.AlarmsCalm);
        Assert.Equal(new Proportion(1, 1), figures.AlarmsWorried);
        Assert.Equal(new Proportion(3, 18), figures.QuestionsCalm);
        Assert.Equal(new AlarmGroup("many", new Proportion(1, 15), new Proportion(0, 0)), Assert.Single(figures.AlarmsByKind));
        Assert.Equal([new AlarmGroup("b", new Proportion(1, 4), new Proportion(1, 1)), new AlarmGroup("a", new Proportion(0, 14), new Proportion(0, 0))], figures.AlarmsBySource);
    }

    [Fact]
    public void Patterns_count_what_must_be_found_and_what_must_be_spared()
    {
        var figures = SafetyMetrics.Of("x",
        [
            Judged.As(Tier.T2, Tier.T2, kind: "p41"), Judged.As(Tier.T2, Tier.T1, kind: "p41"), Judged.As(Tier.T0, Tier.T0, kind: "p41-ok"),
            Judged.As(Tier.TF, Tier.TF, kind: "p24"), Judged.As(Tier.T2, Tier.T2, kind: "p410"), Judged.As(Tier.T0, Tier.T2, kind: "p01"),
        ]);
        Assert.Equal(90, figures.Patterns.Count);
        Assert.Equal(new PatternRate("p41", new Proportion(1, 2), new Proportion(1, 1)), figures.Patterns[40]);
        Assert.Equal((0.5, true), (figures.Patterns[40].Worst, figures.Patterns[40].IsBelow));
        Assert.Equal(1, figures.Patterns[23].Worst);
        Assert.Equal(0, figures.Patterns[0].Worst);
        Assert.Equal((null, false), (figures.Patterns[1].Worst, figures.Patterns[1].IsBelow));
    }

    [Fact]
    public void Confusion_has_the_labels_as_rows()
    {
        var figures = SafetyMetrics.Of("x", [Judged.As(Tier.T3, Tier.T2), Judged.As(Tier.T3, Tier.T2), Judged.As(Tier.T0, Tier.T0)]);
        Assert.Equal(2, figures.Confusion[(int)Tier.T3][(int)Tier.T2]);
        Assert.Equal(0, figures.Confusion[(int)Tier.T2][(int)Tier.T3]);
        Assert.Equal(3, figures.Confusion.Sum(r => r.Sum()));
    }

    [Fact]
    public void Happy_is_held_against_sad_angry_and_neutral_only()
    {
        var figures = SafetyMetrics.Of("x",
        [
            Judged.As(Tier.T0, Tier.T0, mood: LabelledMood.Happy, isHappy: true), Judged.As(Tier.T0, Tier.T0, mood: LabelledMood.Happy),
            Judged.As(Tier.T0, Tier.T0, mood: LabelledMood.Sad, isHappy: true), Judged.As(Tier.T0, Tier.T0, mood: LabelledMood.Angry), Judged.As(Tier.T0, Tier.T0, isHappy: true),
        ]);
        Assert.Equal(new Detection(1, 1, 1, 1), figures.Happy);
        Assert.Equal(["happy", "sad", "angry"], figures.CalledHappy.Select(c => c.Name));
    }

    [Fact]
    public void Worst_misses_are_grave_and_unsuspected_and_worst_alarms_are_sure()
    {
        List<JudgedMessage> judged =
        [
            Judged.As(Tier.T2, Tier.T0, 0.1, "mild"), Judged.As(Tier.T4, Tier.T1, 0.4, "act"), Judged.As(Tier.T4, Tier.T0, 0.2, "unseen-act"), Judged.As(Tier.T4, Tier.T2, 0.6, "found"),
            Judged.As(Tier.T0, Tier.T2, 0.6, "alarm"), Judged.As(Tier.T0, Tier.T2, 0.9, "sure-alarm"), Judged.As(Tier.T1, Tier.T2, 0.9, "worried"),
        ];
        Assert.Equal(["unseen-act", "act", "mild"], SafetyMetrics.Misses(judged, 40).Select(m => m.Kind));
        Assert.Equal(["sure-alarm"], SafetyMetrics.FalseAlarms(judged, 1).Select(m => m.Kind));
    }

    [Fact]
    public void The_90_patterns_are_named_in_order()
    {
        Assert.Equal(Enumerable.Range(1, 90).Select(i => $"p{i:00}"), RiskPatterns.All.Select(p => p.Id));
        Assert.All(RiskPatterns.All, p => Assert.False(string.IsNullOrWhiteSpace(p.Chinese) || string.IsNullOrWhiteSpace(p.English)));
    }
}
