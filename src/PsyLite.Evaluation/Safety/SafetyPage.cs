namespace PsyLite.Evaluation.Safety;

public static class SafetyPage
{
    public static string Write(SafetyReport report) => report.Set.ToString();
}
