using System.Reflection;

namespace PsyLite.Evaluation.Safety;

/// <summary>One of the ways in which danger shows, or seems to show, in words. p01 to p40 are harmless by themselves, p41 to p90 are not.</summary>
internal sealed record RiskPattern(string Id, string Chinese, string English)
{
    public bool IsHarmless => string.CompareOrdinal(Id, "p40") <= 0;
}

/// <summary>The 90 patterns by name, from the embedded table.</summary>
internal static class RiskPatterns
{
    public static IReadOnlyList<RiskPattern> All { get; } = Read();

    private static IReadOnlyList<RiskPattern> Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("PsyLite.Evaluation.patterns.tsv")
            ?? throw new InvalidOperationException("The table of patterns is not embedded.");
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).Select(c => new RiskPattern(c[0], c[1], c[2]))];
    }
}
