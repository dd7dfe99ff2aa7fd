using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Reports;

namespace PsyLite.Evaluation.Safety;

/// <summary>Figures of the safety report as tables and plots.</summary>
internal static class SafetyFigureParts
{
    private const double WantedRecall = 0.98;

    /// <summary>The working range of the curve: beyond it every tenth person is alarmed for nothing.</summary>
    private const double MostFalseAlarmsShown = 0.2;
    private const double LeastRecallShown = 0.5;

    public static IEnumerable<Markup> Recall(SafetyReport report)
    {
        var (chosen, beside) = (report.Chosen, report.Beside);
        var rows = chosen.Recall.Zip(beside.Recall, (c, b) => new IntervalRow(Name(c.Name), [c.Rate, b.Rate])).ToList();
        yield return Page.Columns(
            Page.Figure("按等级", "By tier", IntervalChart.Draw("危险召回率 recall of danger", rows, WantedRecall), Legend(report)),
            Table.Of(Head("等级 tier", report), rows.Select(r => Rates(r.Name, r.Rates[0], r.Rates[1]))));
    }

    public static IEnumerable<Markup> Alarms(SafetyReport report)
    {
        var (chosen, beside) = (report.Chosen, report.Beside);
        yield return Table.Of(Head("消息 messages", report),
        [
            Rates("T0 误报 false alarms", chosen.AlarmsCalm, beside.AlarmsCalm),
            Rates("T1 误报 false alarms", chosen.AlarmsWorried, beside.AlarmsWorried),
            Rates("TF 误报 false alarms", chosen.AlarmsFriends, beside.AlarmsFriends),
            Rates("TF 认作 TF found as TF", chosen.FriendsFound, beside.FriendsFound),
            Rates("T0 得到关心的一问 got the T1 question", chosen.QuestionsCalm, beside.QuestionsCalm),
        ], "wide");
        yield return Page.Fold("按文件", "By source file", Groups("文件 file", chosen.AlarmsBySource));
        yield return Page.Fold("按种类（不少于 15 条）", "By kind, of at least 15 lines", Groups("种类 kind", chosen.AlarmsByKind));
    }

    public static Markup Confusion(IReadOnlyList<IReadOnlyList<int>> confusion)
    {
        var tiers = Enum.GetValues<Tier>();
        Cell Count(int row, int column)
        {
            var (count, total) = (confusion[row][column], confusion[row].Sum());
            var style = count == 0 ? "none" : row == column ? "right" : "wrong";
            var share = total == 0 ? 0 : (double)count / total;
            return Markup.Of($"""<span class="share {style}" style="--share:{share}" title="{tiers[row].ToString()} → {tiers[column].ToString()}: {Words.Percent(share)}">{Words.Count(count)}</span>""");
        }

        return Table.Of(["标注 \\ 判断", .. tiers.Select(t => t.ToString())],
            tiers.Select((tier, row) => (IReadOnlyList<Cell>)[tier.ToString(), .. tiers.Select((_, column) => Count(row, column))]), "matrix");
    }

    public static IEnumerable<Markup> Happy(SafetyReport report)
    {
        var (chosen, beside) = (report.Chosen, report.Beside);
        IReadOnlyList<Cell> Row(string name, Func<Detection, double?> figure) => [name, Words.Decimal(figure(chosen.Happy)), Words.Decimal(figure(beside.Happy))];
        yield return Page.Note("带心情标注的 T0 消息中，高兴对难过、生气、平常。判为高兴：路线 2，或有高兴的依据。",
            "Among T0 messages with a mood: happy against sad, angry and neutral. Called happy: route 2, or evidence of a good mood.");
        yield return Page.Columns(
            Table.Of(["", Title(chosen.Name), Title(beside.Name)], [Row("F1", h => h.F1), Row("精确率 precision", h => h.Precision), Row("召回率 recall", h => h.Recall)]),
            Table.Of(Head("心情 mood", report), Pair(chosen.CalledHappy, beside.CalledHappy)));
    }

    public static IEnumerable<Markup> Scores(SafetyReport report)
    {
        var (chosen, beside) = (report.Chosen, report.Beside);
        var filled = chosen.Calibration.Bins.Where(b => b.Count > 0).ToList();
        var other = beside.Calibration.Bins.Where(b => b.Count > 0);
        var reliability = LineChart.Of("校准曲线 reliability", "分数 score", "实际有危险 in danger", (0, 1), (0, 1)) with
        {
            HasDiagonal = true,
            Series = [Line(filled), Line(other)],
            Header = [.. chosen.Calibration.Bins.Select(b => ((b.From + b.To) / 2, b.Count > 0 ? Words.Short(b.Count) : ""))],
        };
        var recall = chosen.Recall.Single(r => r.Name == "all").Rate;
        var curves = LineChart.Of("召回率与误报率 recall against false alarms", "误报率 false alarms", "召回率 recall", (0, MostFalseAlarmsShown), (LeastRecallShown, 1)) with
        {
            Series = [Line(chosen.AgainstCalm), Line(chosen.AgainstAll)],
            Marks = recall.Rate is { } r && chosen.AlarmsCalm.Rate is { } a ? [(a, r, $"实际路线 the routes as decided: {Words.Percent(r)} / {Words.Percent(a)}")] : [],
        };
        yield return Page.Columns(
            Page.Figure("校准", "Reliability", reliability.Draw(), Legend(report)),
            Page.Figure("阈值怎么取", "Recall against false alarms", curves.Draw(), Page.Legend("对 against T0（大点：实际路线 large dot: routes as decided）", "对 against T0 + T1 + TF")),
            Page.Figure("分数分布", "Scores by class", HistogramChart.Draw("分数分布 score histogram", "分数 score", [.. chosen.Scores.Select(s => (Name(s.Name), s.Counts))])),
            Table.Of(["", Title(chosen.Name), Title(beside.Name)],
            [
                ["期望校准误差 ECE", Words.Decimal(chosen.Calibration.ExpectedError), Words.Decimal(beside.Calibration.ExpectedError)],
                ["Brier", Words.Decimal(chosen.Calibration.Brier), Words.Decimal(beside.Calibration.Brier)],
                ["曲线下面积 area, T0", Words.Decimal(chosen.AgainstCalm.Area), Words.Decimal(beside.AgainstCalm.Area)],
                ["曲线下面积 area, T0 + T1 + TF", Words.Decimal(chosen.AgainstAll.Area), Words.Decimal(beside.AgainstAll.Area)],
                .. new[] { 0.01, 0.03, 0.05 }.Select(at => (IReadOnlyList<Cell>)
                    [$"误报 {at * 100:0} % 时召回 recall", Words.Percent(chosen.AgainstCalm.RecallAt(at)), Words.Percent(beside.AgainstCalm.RecallAt(at))]),
            ]));
    }

    public static Markup DialoguesAndTime(SafetyReport report)
    {
        var (chosen, beside) = (report.Chosen, report.Beside);
        return Table.Of(["", Title(chosen.Name), Title(beside.Name)],
        [
            ["对话 dialogues", chosen.Dialogues, beside.Dialogues],
            ["逐轮带状态判对 right, lived turn by turn", $"{Words.Percent(chosen.DialoguesRight.Rate)} ({Words.Of(chosen.DialoguesRight)})", $"{Words.Percent(beside.DialoguesRight.Rate)} ({Words.Of(beside.DialoguesRight)})"],
            ["不带状态时路线不同 routed otherwise without state", chosen.DialoguesOtherwise, beside.DialoguesOtherwise],
            ["每条用时中位数 median time", $"{chosen.MedianMicros:0} µs", $"{beside.MedianMicros:0} µs"],
            ["每条用时 99 % p99 time", $"{chosen.SlowestPercentMicros:0} µs", $"{beside.SlowestPercentMicros:0} µs"],
        ], "wide");
    }

    public static Markup Counts(SafetyReport report) => Page.Columns(report.Counts.GroupBy(c => c.Group).Select(group =>
        Table.Of([Group(group.Key), "全部 all", "留出 held back"], group.Select(c => (IReadOnlyList<Cell>)[c.Name, c.All, c.HeldBack]))));

    private static string Group(string name) => name switch
    {
        "tier" => "等级 tier",
        "mood" => "心情 mood",
        "source" => "文件 file",
        _ => "形式 form",
    };

    /// <summary>Ranges with the dash that belongs to them.</summary>
    private static string Name(string name) => name == "all" ? "全部 all" : name.Replace('-', '–');

    private static string Title(string part) => $"{SafetyPage.Part(part)} {part.Replace('-', '\u2011')}";

    private static Markup Legend(SafetyReport report) => Page.Legend(Title(report.Chosen.Name), Title(report.Beside.Name));

    private static string[] Head(string first, SafetyReport report) => [first, Title(report.Chosen.Name), "95 %", "n", Title(report.Beside.Name)];

    private static IReadOnlyList<Cell> Rates(string name, Proportion chosen, Proportion beside) =>
        [name, Words.Percent(chosen.Rate), new Cell(Markup.Of($"{Words.Interval(chosen)}"), "soft"), Words.Of(chosen), new Cell(Markup.Of($"{Words.Percent(beside.Rate)}"), "soft")];

    private static IEnumerable<IReadOnlyList<Cell>> Pair(IReadOnlyList<NamedRate> chosen, IReadOnlyList<NamedRate> beside) =>
        chosen.Select(c => Rates(c.Name, c.Rate, beside.FirstOrDefault(b => b.Name == c.Name)?.Rate ?? new Proportion(0, 0)));

    private static Markup Groups(string first, IReadOnlyList<AlarmGroup> groups) => Table.Of([first, "T0", "95 %", "n", "T1", "n"], groups.Select(g => (IReadOnlyList<Cell>)
        [g.Name, Words.Percent(g.Calm.Rate), new Cell(Markup.Of($"{Words.Interval(g.Calm)}"), "soft"), Words.Of(g.Calm), Words.Percent(g.Worried.Rate), Words.Of(g.Worried)]));

    private static LineSeries Line(IEnumerable<CalibrationBin> bins) => new(
        [.. bins.Select(b => (b.MeanScore, b.Observed, $"{Words.Percent(b.MeanScore)} → {Words.Percent(b.Observed)} (n = {b.Count})"))], HasDots: true);

    private static LineSeries Line(OperatingCurve curve) => new([.. curve.Points.Where(p => p.FalseAlarms <= MostFalseAlarmsShown && p.Recall >= LeastRecallShown).Select(p => (p.FalseAlarms, p.Recall, ""))]);
}
