using PsyLite.Evaluation.Reports;

namespace PsyLite.Evaluation.Safety;

/// <summary>The report as JSON.</summary>
public static class SafetyJson
{
    public static string Write(SafetyReport report) => ReportJson.Write(report);
}
