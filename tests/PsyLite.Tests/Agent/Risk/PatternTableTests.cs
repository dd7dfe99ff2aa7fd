using PsyLite.Agent.Risk;

namespace PsyLite.Tests.Agent.Risk;

/// <summary>The ninety patterns of practice, as written down and in other people's words, and longer posts around them.</summary>
public sealed class PatternTableTests
{
    private static readonly string Folder = Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Agent/Risk");

    [Fact]
    public void Every_pattern_is_told_apart_as_written_and_in_other_words()
    {
        var rows = Rows("patterns.tsv");
        Assert.Equal(90, rows.Select(r => r.Label).Distinct().Count());
        Assert.All(rows.Where(r => r.Label != "80").GroupBy(r => r.Label), g => Assert.True(g.Count() >= 4, $"pattern {g.Key} has {g.Count()} rows"));
        AssertRight(rows.DistinctBy(r => r.Label).ToList(), of: 1);
        AssertRight(rows, of: 0.97);
    }

    [Fact]
    public void Longer_posts_are_judged_by_the_clause_that_matters()
    {
        var rows = Rows("posts.tsv");
        Assert.True(rows.Count >= 100, $"{rows.Count} posts");
        AssertRight(rows, of: 0.98);
    }

    [Fact]
    public void Rates_over_all_posts_hold_even_with_those_still_missed()
    {
        var rows = Rows("posts.tsv").Concat(Rows("hard.tsv")).ToList();
        var dangerous = rows.Where(r => r.Expected == "crisis").ToList();
        var harmless = rows.Where(r => r.Expected is "safe" or "normal" or "happy").ToList();
        bool IsDanger((string Label, string Expected, string Text) row) => Turns.Assessor.Assess(row.Text).Route == Route.Danger;
        Assert.True(dangerous.Count > 200 && harmless.Count > 250, $"{dangerous.Count} dangerous, {harmless.Count} harmless");
        Assert.True(dangerous.Count(IsDanger) >= 0.94 * dangerous.Count, $"{dangerous.Count(IsDanger)} of {dangerous.Count} found");
        Assert.True(harmless.Count(IsDanger) <= 0.02 * harmless.Count, $"{harmless.Count(IsDanger)} of {harmless.Count} alarmed");
    }

    [Fact]
    public void Signals_point_at_the_words_as_they_were_written()
    {
        const string text = "妈妈，我　不 想 活 了……";
        var signal = Turns.Assessor.Assess(text).Signals.First(s => s.Tier == Tier.T2);
        Assert.Contains("不 想 活", text.Substring(signal.Start, signal.Length));
    }

    [Fact]
    public void Every_signal_lies_within_the_text()
    {
        foreach (var (_, _, text) in Rows("patterns.tsv"))
        {
            var assessment = Turns.Assessor.Assess(text);
            Assert.InRange(assessment.Score, 0, 1);
            Assert.All(assessment.Signals, s => Assert.True(s.Start >= 0 && s.Start + s.Length <= text.Length, $"{s} in {text}"));
        }
    }

    [Fact]
    public void Scores_put_danger_above_everyday_talk()
    {
        var rows = Rows("patterns.tsv");
        double[] dangerous = [.. rows.Where(r => r.Expected is "crisis" or "T4" or "TO" or "TA").Select(r => Turns.Assessor.Assess(r.Text).Score)];
        double[] harmless = [.. rows.Where(r => r.Expected == "quiet").Select(r => Turns.Assessor.Assess(r.Text).Score)];
        var inOrder = dangerous.Sum(d => harmless.Count(h => h < d)) / (double)(dangerous.Length * harmless.Length);
        Assert.True(inOrder > 0.98, $"a dangerous message scores above a harmless one in {inOrder:P1} of the pairs");
    }

    internal static List<(string Label, string Expected, string Text)> Rows(string file) =>
        [.. File.ReadLines(Path.Combine(Folder, file)).Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split('\t'))
            .Select(p => (p[0], p[1], p[2].Replace("\\u200b", "\u200b").Replace("\\n", "\n")))];

    private static void AssertRight(List<(string Label, string Expected, string Text)> rows, double of)
    {
        var wrong = new List<string>();
        foreach (var (label, expected, text) in rows)
        {
            var verdict = Turns.Assessor.Assess(text);
            var isRight = expected switch
            {
                "safe" => verdict.Route != Route.Danger,
                "quiet" => verdict.Tier == Tier.T0,
                "crisis" => verdict.Route == Route.Danger,
                "happy" => verdict.Route == Route.Happy,
                "normal" => verdict.Route == Route.Normal,
                _ => expected.Split('|').Contains(verdict.Tier.ToString()),
            };
            if (!isRight)
            {
                wrong.Add($"{label}: wanted {expected}, got {verdict.Route}/{verdict.Tier} [{string.Join(", ", verdict.Signals.Select(s => s.Rule))}]: {text}");
            }
        }

        Assert.True(wrong.Count <= (1 - of) * rows.Count, $"{wrong.Count} of {rows.Count} wrong:\n{string.Join('\n', wrong)}");
    }
}
