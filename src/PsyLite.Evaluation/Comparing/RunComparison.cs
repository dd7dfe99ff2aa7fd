using System.Text.Json;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Comparing;

/// <summary>One score of two runs on the units that both have.</summary>
/// <param name="LeftOut">Units that one of the two has no score for.</param>
public sealed record ScoreComparison(string Score, string Second, PairedDifference Paired, int LeftOut);

/// <summary>A unit whose score changed much.</summary>
public sealed record ChangedItem(string Id, string Group, string Score, double First, double Second);

/// <summary>Runs of one benchmark on the same data, each held against the first.</summary>
/// <param name="Remarks">What differs between the runs beside the model, so that a difference may have another cause.</param>
public sealed record RunComparison(
    IReadOnlyList<RunSummary> Runs, IReadOnlyList<ScoreComparison> Scores, IReadOnlyList<ChangedItem> Worse, IReadOnlyList<string> Remarks)
{
    private const int ChangesShown = 15;

    /// <summary>Reads the JSON that a run left in a folder, of whichever benchmark.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static RunSummary ReadRun(string folder)
    {
        foreach (var path in File.Exists(folder) ? [folder] : Directory.Exists(folder) ? Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal) : Enumerable.Empty<string>())
        {
            if (Read(path) is { Manifest: not null, Figures: not null, Items: not null } run)
            {
                return run;
            }
        }

        throw new InvalidDataException($"{folder} 里没有评测结果 · There is no result of a run in {folder}: name a folder that an eval command wrote with --out.");
    }

    /// <exception cref="InvalidDataException">The runs are of different benchmarks or data.</exception>
    public static RunComparison Of(IReadOnlyList<RunSummary> runs, int seed = 1)
    {
        var first = runs[0];
        foreach (var other in runs.Skip(1))
        {
            if (other.Manifest.Benchmark != first.Manifest.Benchmark || other.Manifest.DataSha256 != first.Manifest.DataSha256)
            {
                throw new InvalidDataException($"{other.Manifest.Name}: 基准或数据与 {first.Manifest.Name} 不同，不能成对比较 · ran another benchmark or other data than {first.Manifest.Name}, so nothing can be paired.");
            }
        }

        var scores = first.Items.SelectMany(i => i.Scores.Keys).Distinct().ToList();
        return new RunComparison(
            runs,
            [.. runs.Skip(1).SelectMany(run => scores.Select(score => Compare(first, run, score, seed)))],
            [.. runs.Skip(1).TakeLast(1).SelectMany(run => Changes(first, run, first.Figures[0]))],
            [.. runs.Skip(1).SelectMany(run => Differences(first.Manifest, run.Manifest))]);
    }

    private static RunSummary? Read(string path)
    {
        try
        {
            return ReportJson.Read<RunSummary>(File.ReadAllText(path));
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return null;
        }
    }

    private static ScoreComparison Compare(RunSummary first, RunSummary second, string score, int seed)
    {
        var others = second.Items.ToDictionary(i => i.Id);
        var pairs = first.Items.Where(i => i.Scores.ContainsKey(score) && others.GetValueOrDefault(i.Id)?.Scores.ContainsKey(score) == true)
            .Select(i => (others[i.Id].Scores[score] - i.Scores[score], (i.Weight + others[i.Id].Weight) / 2)).ToList();
        return new ScoreComparison(score, second.Manifest.Name, PairedTest.Of(pairs, seed), first.Items.Select(i => i.Id).Union(others.Keys).Count() - pairs.Count);
    }

    private static IEnumerable<ChangedItem> Changes(RunSummary first, RunSummary second, Figure figure)
    {
        var others = second.Items.ToDictionary(i => i.Id);
        var score = first.Items.Any(i => i.Scores.ContainsKey(figure.Id)) ? figure.Id : first.Items.SelectMany(i => i.Scores.Keys).FirstOrDefault() ?? "";
        var sign = figure.IsLowerBetter ? -1 : 1;
        return first.Items.Where(i => i.Scores.ContainsKey(score) && others.GetValueOrDefault(i.Id)?.Scores.ContainsKey(score) == true)
            .Select(i => new ChangedItem(i.Id, i.Group, score, i.Scores[score], others[i.Id].Scores[score]))
            .Where(c => (c.Second - c.First) * sign < 0).OrderBy(c => (c.Second - c.First) * sign).Take(ChangesShown);
    }

    private static IEnumerable<string> Differences(RunManifest first, RunManifest second)
    {
        string Judges(RunManifest m) => string.Join(", ", m.Judges.Select(j => $"{j.Name} {j.Model?.Sha256 ?? j.Model?.Endpoint} T={j.Temperature}"));
        (string What, string First, string Second)[] facts =
        [
            ("variant", first.Variant, second.Variant), ("seed", $"{first.Seed}", $"{second.Seed}"), ("judge", Judges(first), Judges(second)),
            ("with agent", $"{first.Model.WithAgent}", $"{second.Model.WithAgent}"), ("code", first.CodeVersion, second.CodeVersion),
            .. first.Settings.Keys.Union(second.Settings.Keys).Select(k => (k, first.Settings.GetValueOrDefault(k, "–"), second.Settings.GetValueOrDefault(k, "–"))),
            .. first.Prompts.Keys.Union(second.Prompts.Keys).Where(k => first.Prompts.GetValueOrDefault(k) != second.Prompts.GetValueOrDefault(k)).Select(k => ($"prompt {k}", "…", "… (other words)")),
        ];
        return facts.Where(f => f.First != f.Second).Select(f => $"{second.Name}: {f.What}: {f.First} → {f.Second}");
    }
}
