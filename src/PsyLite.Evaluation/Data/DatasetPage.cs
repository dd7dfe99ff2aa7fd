using System.Globalization;
using PsyLite.Evaluation.Reports;

namespace PsyLite.Evaluation.Data;

/// <summary>A set of training data as a page: what it is made of first, then lengths, duplicates and safety.</summary>
public static class DatasetPage
{
    /// <summary>Names shown of a long list; the rest are one line.</summary>
    private const int MostNames = 16;

    public static string Write(DatasetFigures figures) => Page.Of("PsyLite 数据统计", Lead(figures), Sections(figures)).Value;

    private static Markup Lead(DatasetFigures f) => Markup.Of($"""
        <header>
        <h1>数据统计 <span lang="en">Training data · {string.Join(", ", f.Files)}</span></h1>
        <p class="lead">{$"{Words.Count(f.Rows)} 行，{Big(f.Tokens)} 个词元。"} <span lang="en">{$"{Words.Count(f.Rows)} rows, {Big(f.Tokens)} tokens."}</span></p>
        </header>
        <ul class="gates">
        {Fact("带思考", "with reasoning", f.WithReasoning, f.Rows)}
        {Fact("成对", "pairs", f.Pairs, f.Rows)}
        {Fact("近似重复", "near duplicates", f.NearDuplicates, f.Rows)}
        {Fact("含个人信息", "with personal data", f.WithPersonalData, f.Rows)}
        {Fact("来访者处于危险", "person in danger", (int)f.Tiers.Where(t => t.Name is "T2" or "T3" or "T4" or "TO" or "TA").Sum(t => t.Count), f.Rows)}
        {Fact("无法读取", "could not be read", f.Rejected, f.Rows + f.Rejected)}
        </ul>

        """);

    private static Markup Fact(string chinese, string english, int count, int of) => Markup.Of($"""
        <li><span class="what">{chinese} <span lang="en">{english}</span></span><span class="found">{Words.Count(count)}</span>
        <span class="wanted"><span>{(of == 0 ? "–" : Words.Percent((double)count / of))}</span></span></li>

        """);

    private static IEnumerable<Markup> Sections(DatasetFigures f)
    {
        yield return Page.Section("lengths", "长度", "Lengths in tokens",
            Page.Note("训练时一行最多 4096 个词元（偏好训练每侧 2048），更长的会被截断，思考就没有了结尾。", "A training row holds 4,096 tokens (2,048 a side in preference training); what is longer is cut, and the reasoning loses its end."),
            Page.Columns(f.Lengths.Select(l => Page.Figure(Chinese(l.Name), l.Name, ColumnChart.Draw($"{Chinese(l.Name)} {l.Name}", "词元 tokens", DatasetFigures.LengthClasses, [(Chinese(l.Name), l.Counts)])))),
            Table.Of(["", "中位 median", "90 %", "99 %", "最长 longest"], f.Lengths.Select(l => (IReadOnlyList<Cell>)[$"{Chinese(l.Name)} {l.Name}", l.Median, l.Ninetieth, l.NinetyNinth, l.Longest]), "wide"));
        yield return Page.Section("made-of", "组成", "What it is made of", Page.Columns(Charts(
            ("主题", "Topics", f.Topics), ("来源", "Sources", f.Sources), ("用途", "Kinds", f.Kinds), ("许可证", "Licences", f.Licences))));
        yield return Page.Section("turns", "轮数与分数", "Turns and scores", Page.Columns(
            f.Turns.Count == 0 ? Markup.None : Page.Figure("来访者说了几次", "Messages of the person", ColumnChart.Draw("轮数 turns", "轮 turns", [.. f.Turns.Select(t => t.Name)], [("", [.. f.Turns.Select(t => (int)t.Count)])])),
            f.Scores.Count == 0 ? Markup.None : Page.Figure("来源给的分数", "Scores of the source", ColumnChart.Draw("分数 scores", "分 score", [.. f.Scores.Select(t => t.Name)], [("", [.. f.Scores.Select(t => (int)t.Count)])]))));
        yield return Page.Section("duplicates", "重复", "Duplicates",
            Page.Note("按最后一问与回复比较，去掉标点和大小写；近似：五字片段的相似度不低于 0.8。", "By last question and reply without punctuation or case; near: similarity of five-character pieces of at least 0.8."),
            Table.Of(["", "行 rows", "占比 share"],
            [
                ["完全相同 exact", f.ExactDuplicates, Words.Percent(f.Rows == 0 ? null : (double)f.ExactDuplicates / f.Rows)],
                ["近似（含相同）near, exact ones among them", f.NearDuplicates, Words.Percent(f.Rows == 0 ? null : (double)f.NearDuplicates / f.Rows)],
            ], "wide"));
        yield return Page.Section("safety", "安全", "Safety",
            Page.Note("等级：本程序对来访者最后一句话的判断（T0 日常，T1 含糊，T2–T4 由念头到行动，TF 朋友，TO 伤人，TA 受虐）。规则：回复若由模型说出，会被哪条规则拦下。",
                "Tiers as this program assesses the newest message (T0 everyday, T1 unclear, T2–T4 from thoughts to acts, TF a friend, TO harm to others, TA abuse). Rules: which one would cut the reply if a model said it."),
            Page.Columns(Charts(("风险等级", "Tiers", f.Tiers), ("来源标注的危害", "Harms named by the source", f.Harms), ("回复触犯的规则", "Rules that replies break", f.BrokenRules))));
    }

    private static IEnumerable<Markup> Charts(params IEnumerable<(string Chinese, string English, IReadOnlyList<NamedCount> Counts)> charts) =>
        charts.Where(c => c.Counts.Count > 0).Select(c => Page.Figure(c.Chinese, c.English, RankedBars.Draw($"{c.Chinese} {c.English}", Top(c.Counts))));

    private static List<(string Name, long Count)> Top(IReadOnlyList<NamedCount> counts)
    {
        var top = counts.Take(MostNames).Select(c => (c.Name, c.Count)).ToList();
        if (counts.Count > MostNames)
        {
            top.Add(($"其他 {counts.Count - MostNames} 个", counts.Skip(MostNames).Sum(c => c.Count)));
        }

        return top;
    }

    private static string Chinese(string name) => name switch { "prompt" => "提问", "reasoning" => "思考", "reply" => "回复", "rejected" => "落选回复", _ => "整行" };

    private static string Big(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
