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

    private static string Bare(double share) => (share * 100).ToString("0.0", CultureInfo.InvariantCulture);
}
