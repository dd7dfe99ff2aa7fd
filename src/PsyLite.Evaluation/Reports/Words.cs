using System.Globalization;
using PsyLite.Evaluation.Metrics;

namespace PsyLite.Evaluation.Reports;

/// <summary>Numbers as reports write them; "–" stands for what was not measured.</summary>
internal static class Words
{
    public static string Percent(double? share) => share is { } s ? (s * 100).ToString(s is > 0.999 and < 1 ? "0.00" : "0.0", CultureInfo.InvariantCulture) + "\u00a0%" : "–";

    public static string Interval(Proportion rate) => rate.Of == 0 ? "–" : $"{Bare(rate.Low)}–{Bare(rate.High)}";

    public static string Of(Proportion rate) => rate.Of == 0 ? "–" : $"{rate.Hits}/{rate.Of}";

    public static string Decimal(double? number) => number?.ToString("0.000", CultureInfo.InvariantCulture) ?? "–";

    public static string Count(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Keeps a number and its sign of per cent on one line.</summary>
    public static string Unbroken(string text) => text.Replace(" %", "\u00a0%", StringComparison.Ordinal);

    /// <summary>A number on its own scale: per cent for shares, else two decimals.</summary>
    public static string Value(double number, bool isShare, bool tick = false) => !double.IsFinite(number) ? "–"
        : isShare ? (number * 100).ToString(tick ? "0" : "0.0", CultureInfo.InvariantCulture) + "\u00a0%"
        : number.ToString(tick ? "0.##" : "0.00", CultureInfo.InvariantCulture);

    /// <summary>A number with its 95 % interval.</summary>
    public static string Value(Estimate estimate, bool isShare) => $"{Value(estimate.Value, isShare)} [{Range(estimate, isShare)}]";

    public static string Range(Estimate estimate, bool isShare) => !double.IsFinite(estimate.Low) ? "–"
        : isShare ? $"{Bare(estimate.Low)}–{Bare(estimate.High)}" : $"{Value(estimate.Low, false)}–{Value(estimate.High, false)}";

    public static string PValue(double p) => !double.IsFinite(p) ? "–" : p < 0.001 ? "< 0.001" : p.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Bare(double share) => (share * 100).ToString("0.0", CultureInfo.InvariantCulture);
}
