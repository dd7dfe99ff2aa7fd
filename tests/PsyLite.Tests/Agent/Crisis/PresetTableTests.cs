using System.Text;

namespace PsyLite.Tests.Agent.Crisis;

/// <summary>docs/presets.md shows every preset with its grades; it is made here, and a stale one fails.</summary>
public sealed class PresetTableTests
{
    private static readonly string Fresh = Path.Combine(ReferenceGraphTests.Root, "artifacts", "presets.md");

    [Fact]
    public void The_table_of_presets_is_up_to_date()
    {
        var table = Build();
        Directory.CreateDirectory(Path.GetDirectoryName(Fresh)!);
        File.WriteAllText(Fresh, table);
        var kept = Path.Combine(ReferenceGraphTests.Root, "docs", "presets.md");
        Assert.True(File.Exists(kept) && File.ReadAllText(kept) == table, "docs/presets.md is stale; read it anew, then: cp artifacts/presets.md docs/presets.md");
    }

    [Fact]
    public void Every_preset_has_been_read()
    {
        var readings = Readings();
        Assert.Empty(PresetGrades.Texts.All.Where(s => s.Language == "zh-CN" && !s.Family.EndsWith(".title", StringComparison.Ordinal))
            .SelectMany(s => s.Texts).Select(t => Key(t.Id)).Except(readings.Keys));
        var keys = PresetGrades.Texts.All.SelectMany(s => s.Texts).Select(t => Key(t.Id)).ToHashSet();
        Assert.Empty(readings.Keys.Except(keys));
    }

    private static string Build()
    {
        var readings = Readings();
        var grades = PresetGrades.In("CN").Where(g => !g.Family.EndsWith(".title", StringComparison.Ordinal)).ToList();
        var table = new StringBuilder();
        table.Append("""
            # Every text that is said without a model

            Made by `PresetTableTests` from the files in `src/PsyLite.Agent/Crisis/Texts`, as read in mainland China. Columns: E empathy, R regulation,
            X exploration (exactly one question), K risk check, F referral, one point each, minus five for every red fault: more than five sentences,
            a negative-pull question, no resource open day and night, no person, no distance from means, no emergency push where danger is
            acute, method words, a diagnosis, a contract, a promise that no program can keep, a feeling claimed, shame, or words that our own guard would
            cut. Answers to danger need four points and no red fault; other texts need no red fault. The checks look for words and were run in every
            region; what the eye saw stands in the last column. No clinician has read these texts yet, and no native
            speaker the Cantonese; zh-TW was made from zh-CN by character and word tables and then read.


            """);
        table.Append(System.Globalization.CultureInfo.InvariantCulture, $"{grades.Count} texts, {grades.Count(g => g.Reds.Count > 0)} with a red fault, ")
            .Append(System.Globalization.CultureInfo.InvariantCulture, $"{grades.Count(g => PresetGrades.IsCrisis(g.Family))} answers to danger, lowest score {grades.Where(g => PresetGrades.IsCrisis(g.Family)).Min(g => g.Score)}.\n");
        foreach (var language in new[] { "zh-CN", "zh-TW", "yue", "en" })
        {
            table.Append("\n## ").Append(language).Append("\n\n| Preset | E | R | X | K | F | Score | Red | Text | Reading |\n|---|---|---|---|---|---|---|---|---|---|\n");
            foreach (var grade in grades.Where(g => g.Language == language))
            {
                var marks = string.Join(" | ", grade.Dimensions.Select(d => d ? "1" : "·"));
                var reading = readings.GetValueOrDefault(Key(grade.Id.Split(" + ")[0])) ?? "";
                var note = language is "yue" or "en" ? $"Read beside the zh-CN texts of {grade.Family}; shorter, same content." : reading;
                var reds = grade.Reds.Count == 0 ? "none" : string.Join(", ", grade.Reds);
                table.Append("| ").AppendJoin(" | ", grade.Id, marks, grade.Score, reds, grade.Text.Replace("\n", "<br>").Replace("|", "\\|"), note).Append(" |\n");
            }
        }

        return table.ToString();
    }

    private static Dictionary<string, string> Readings() =>
        File.ReadLines(Path.Combine(ReferenceGraphTests.Root, "tests/PsyLite.Tests/Agent/Crisis/readings.tsv"))
            .Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split('\t')).ToDictionary(p => p[0], p => p[1]);

    private static string Key(string id) => $"{id[..id.IndexOf('/')]}/{id[(id.LastIndexOf('/') + 1)..]}";
}
