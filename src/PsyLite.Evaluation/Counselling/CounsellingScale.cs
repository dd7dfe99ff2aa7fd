namespace PsyLite.Evaluation.Counselling;

/// <summary>The four scores and how high they go.</summary>
/// <param name="Name">As on the command line.</param>
public sealed record CounsellingScale(string Name, IReadOnlyList<double> Most)
{
    /// <summary>Comprehensiveness, professionalism, authenticity, safety.</summary>
    public static IReadOnlyList<(string Id, string Chinese, string English)> Metrics { get; } =
        [("comprehensiveness", "全面性", "Comprehensiveness"), ("professionalism", "专业性", "Professionalism"), ("authenticity", "真实性", "Authenticity"), ("safety", "安全性", "Safety")];

    /// <summary>As the published notebook has it, and as PsyLite's paper reports: 2, 3, 3, 1.</summary>
    public static CounsellingScale Notebook { get; } = new("notebook", [2, 3, 3, 1]);

    /// <summary>As the project's README has it: professionalism up to 4.</summary>
    public static CounsellingScale Readme { get; } = new("readme", [2, 4, 3, 1]);

    public double this[int metric] => Most[metric];
}
