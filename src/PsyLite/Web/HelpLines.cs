using PsyLite.Agent.Crisis;

namespace PsyLite.Web;

/// <summary>What a help line is for.</summary>
public enum HelpRole
{
    Line,
    Youth,
    Ambulance,
    Police,

    /// <summary>Ambulance and police under one number.</summary>
    Emergency,
}

/// <summary>One line as the page shows it.</summary>
public sealed record HelpLine(HelpRole Role, Hotline Line)
{
    /// <summary>A number is dialled; an address is opened.</summary>
    public bool IsNumber => Line.Number.All(c => char.IsAsciiDigit(c) || c == ' ');

    public string Href => IsNumber ? $"tel:{Line.Number.Replace(" ", "", StringComparison.Ordinal)}" : $"https://{Line.Number}";

    /// <summary>What it is called: at home in the page's own words, elsewhere as it calls itself.</summary>
    public string Name(UiText text) => (Role, Line.Region) switch
    {
        (HelpRole.Line, HelpLines.Home) => text.LifelineName,
        (HelpRole.Line, HotlineDirectory.Anywhere) => text.FinderName,
        (HelpRole.Youth, HelpLines.Home) => text.YouthName,
        (HelpRole.Line or HelpRole.Youth, _) => Line.Name,
        (HelpRole.Ambulance, _) => text.AmbulanceName,
        (HelpRole.Police, _) => text.PoliceName,
        _ => text.EmergencyName,
    };

    public string? Note(UiText text) => (Role, Line.Region) switch
    {
        (HelpRole.Line, HelpLines.Home) => text.LifelineHours,
        (HelpRole.Line or HelpRole.Youth, not HotlineDirectory.Anywhere) => Line.Hours,
        _ => null,
    };
}

/// <summary>The help lines of a region, from the agent's directory.</summary>
public sealed class HelpLines(HotlineDirectory directory)
{
    public const string Home = "CN";

    public string Lifeline { get; } = Number(directory, "line");

    public string Ambulance { get; } = Number(directory, "ambulance");

    public string Police { get; } = Number(directory, "police");

    /// <summary>The lines of a region, most needed first; null leaves it to the language.</summary>
    public IReadOnlyList<HelpLine> For(string? region, UiText text, bool isMinor = false)
    {
        var place = Place(region, text);
        var (ambulance, police) = (directory.For(place, "ambulance"), directory.For(place, "police"));
        var isOne = ambulance.Select(l => l.Number).SequenceEqual(police.Select(l => l.Number));
        return
        [
            .. As(HelpRole.Line, directory.For(place, "line")),
            .. isMinor ? As(HelpRole.Youth, directory.For(place, "youth").Except(directory.For(place, "line"))) : [],
            .. As(isOne ? HelpRole.Emergency : HelpRole.Ambulance, ambulance),
            .. isOne ? [] : As(HelpRole.Police, police),
        ];
    }

    /// <summary>The region itself, or where somebody who reads this language most likely is.</summary>
    public static string Place(string? region, UiText text) => region ?? (text.Tag == UiText.English.Tag ? HotlineDirectory.Anywhere : Home);

    private static IEnumerable<HelpLine> As(HelpRole role, IEnumerable<Hotline> lines) => lines.Select(l => new HelpLine(role, l));

    private static string Number(HotlineDirectory directory, string role) => directory.For(Home, role) is [var line, ..] ? line.Number : "";
}
