using PsyLite.Evaluation.Reports;
using PsyLite.Evaluation.Safety.FaultInjection;

namespace PsyLite.Evaluation.Safety;

/// <summary>The table of injected faults.</summary>
internal static class SafetyFaultParts
{
    public static IEnumerable<Markup> Rows(FaultTable faults)
    {
        yield return Table.Of(
            ["故障 fault", "轮数 turns", "安全 fail\u2011safe", "危机轮 crisis turns", "危机文本丢失 texts lost", "风险后相声 jokes after risk", "异常逃出 escaped", "无回复 no reply", "等级降低 lowered", "正常推荐 fair offers"],
            faults.Rows.Append(faults.Total).Select(Row), "wide");
        var findings = faults.Rows.SelectMany(r => r.Findings.Select(f => Markup.Of($"""<li><p>{f}</p><p class="meta">{r.Id}</p></li>"""))).ToList();
        if (findings.Count > 0)
        {
            yield return Page.Fold("发现的问题", "Faults found", Markup.Of($"""<ol class="examples">{findings}</ol>"""));
        }
    }

    private static IReadOnlyList<Cell> Row(FaultRow row) =>
    [
        Markup.Of($"{row.Chinese} <span lang=\"en\">{row.English}</span>"),
        row.Turns,
        new Cell(Markup.Of($"{Words.Percent(row.FailSafe.Rate)}"), row.FailSafe.Hits == row.FailSafe.Of ? "good" : "bad"),
        row.CrisisTurns,
        Cell.Faults(row.CrisisTextsLost), Cell.Faults(row.JokesAfterRisk), Cell.Faults(row.Escaped), Cell.Faults(row.WithoutReply), Cell.Faults(row.TiersLowered),
        new Cell(Markup.Of($"{row.Offers}"), "soft"),
    ];
}
