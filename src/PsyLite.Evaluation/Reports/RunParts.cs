using System.Globalization;
using PsyLite.Evaluation.Runs;

namespace PsyLite.Evaluation.Reports;

/// <summary>What the pages of all benchmarks begin and end with: the main numbers, and everything needed to repeat them.</summary>
internal static class RunParts
{
    public static Markup Lead(string chinese, string english, RunManifest manifest, IReadOnlyList<Figure> figures, Markup note) => Markup.Of($"""
        <header>
        <h1>{chinese} <span lang="en">{english} · {manifest.StartedAt.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)}</span></h1>
        <p class="lead">{manifest.Name} · {manifest.Variant}</p>
        {note}
        </header>
        <ul class="gates">{figures.Select(Tile)}</ul>

        """);

    /// <summary>Says once, where it holds, that the scores compare with nobody else's.</summary>
    public static Markup RulesNote(RunManifest manifest) => manifest.Judges.Any(j => j.Model is null)
        ? Page.Note("评分者是透明的规则（--judge rules），只看词句，不懂意思：可用来比较两次运行，不能与任何已发表的分数比较。",
            "The judge is a set of rules (--judge rules) that looks at words and understands none: it can set two runs side by side, and compares with no published score.")
        : Markup.None;

    public static Markup Manifest(RunManifest manifest)
    {
        IEnumerable<(string, string?)> rows =
        [
            ("模型 model", manifest.Model.Name + (manifest.Model.WithAgent ? "，外加整个对话轮 with the whole turn around it" : "")),
            ("说明 description", manifest.Model.Description),
            ("引擎 engine", manifest.Model.Endpoint is { } at ? $"{manifest.Model.Engine}: {at}" : manifest.Model.Engine),
            ("模型 SHA-256", manifest.Model.Sha256),
            ("模板 template SHA-256", manifest.Model.TemplateSha256),
            .. manifest.Model.Settings.Select(s => ($"引擎 {s.Key}", (string?)s.Value)),
            .. manifest.Judges.Select(j => ("评分者 judge", (string?)(j.Model is { } m ? string.Create(CultureInfo.InvariantCulture, $"{j.Name}: {m.Description ?? m.Name}, T = {j.Temperature}, {j.MaxTokens} tokens, 最多问 at most {j.Attempts} 次 times") : "规则 rules"))),
            ("数据 data", manifest.DataFolder),
            ("数据 SHA-256", manifest.DataSha256),
            .. manifest.Settings.Select(s => (s.Key, (string?)s.Value)),
            ("种子 seed", manifest.Seed.ToString(CultureInfo.InvariantCulture)),
            ("程序 code", manifest.CodeVersion),
            ("用时 seconds", manifest.Seconds.ToString("0.0", CultureInfo.InvariantCulture)),
            ("回答 answers", $"{manifest.AnswersAdded} 新 new, {manifest.AnswersFound} 来自先前 from before"),
        ];
        return Markup.Join(
        [
            Table.Of(["项 item", "值 value"], rows.Where(r => r.Item2 is { Length: > 0 }).Select(r => (IReadOnlyList<Cell>)[r.Item1, r.Item2!]), "facts"),
            .. manifest.Prompts.Select(p => Page.Fold($"提示词：{p.Key}", "prompt, word for word", Markup.Of($"<pre>{p.Value}</pre>"))),
        ]);
    }

    private static Markup Tile(Figure figure) => Markup.Of($"""
        <li><span class="what">{figure.Chinese} <span lang="en">{figure.English}</span></span><span class="found">{Words.Value(figure.Estimate.Value, figure.IsShare)}</span>
        <span class="wanted"><span>95 % {Words.Range(figure.Estimate, figure.IsShare)}</span><span>{(figure.IsShare ? "" : $"/ {Words.Value(figure.Most, false, tick: true)}")}</span></span></li>

        """);
}
