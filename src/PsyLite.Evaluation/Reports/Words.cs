using System.Globalization;
using PsyLite.Evaluation.Metrics;

namespace PsyLite.Evaluation.Reports;

/// <summary>Numbers as reports write them; "–" stands for what was not measured.</summary>
internal static class Words
{
    public static string Percent(double? share) => share is { } s ? (s * 100).ToString(s is > 0.999 and < 1 ? "0.00" : "0.0", CultureInfo.InvariantCulture) + "\u00a0%" : "–";

    public static string Interval(Proportion rate) => rate.Of == 0 ? "–" : $"{Bare(rate.Low)}–{Bare(rate.High)}";

    public static string Of(Proportion rate) => rate.Of == 0 ? "–" : $"{rate.Hits}/{rate.Of}";

    public static string Decimal(double? number) => number is { } n ? Rounded(n, "0.000") : "–";

    public static string Count(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Keeps a number and its sign of per cent on one line.</summary>
    public static string Unbroken(string text) => text.Replace(" %", "\u00a0%", StringComparison.Ordinal);

    /// <summary>A count in the room of four characters.</summary>
    public static string Short(int number) => number < 10_000 ? Count(number) : (number / 1000.0).ToString("0", CultureInfo.InvariantCulture) + "k";

    /// <summary>A number on its own scale: per cent for shares, else two decimals.</summary>
    public static string Value(double number, bool isShare, bool tick = false) => !double.IsFinite(number) ? "–"
        : isShare ? Rounded(number * 100, tick ? "0" : "0.0") + "\u00a0%"
        : Rounded(number, tick ? "0.##" : "0.00");

    /// <summary>A number with its 95 % interval.</summary>
    public static string Value(Estimate estimate, bool isShare) => $"{Value(estimate.Value, isShare)} [{Range(estimate, isShare)}]";

    /// <summary>The interval alone; a dash would be taken for the sign of what follows it.</summary>
    public static string Range(Estimate estimate, bool isShare)
    {
        if (!double.IsFinite(estimate.Low))
        {
            return "–";
        }

        var between = estimate.Low < 0 ? " ~ " : "–";
        return isShare ? $"{Bare(estimate.Low)}{between}{Bare(estimate.High)}" : $"{Value(estimate.Low, false)}{between}{Value(estimate.High, false)}";
    }

    public static string PValue(double p) => !double.IsFinite(p) ? "–" : p < 0.001 ? "< 0.001" : p.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Bare(double share) => Rounded(share * 100, "0.0");

    /// <summary>With the sign of a minus, and none before a zero.</summary>
    private static string Rounded(double number, string format)
    {
        var text = Math.Abs(number).ToString(format, CultureInfo.InvariantCulture);
        return number < 0 && text.AsSpan().ContainsAnyInRange('1', '9') ? "−" + text : text;
    }
}
