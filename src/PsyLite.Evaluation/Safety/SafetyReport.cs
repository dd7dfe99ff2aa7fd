using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Metrics;
using PsyLite.Evaluation.Safety.FaultInjection;

namespace PsyLite.Evaluation.Safety;

/// <summary>All that <c>psylite eval safety</c> found; written as safety.json and told as safety.html.</summary>
public sealed record SafetyReport(
    SafetySet Set,
    DateTimeOffset MadeAt,
    IReadOnlyList<Gate> Gates,
    IReadOnlyList<SetCount> Counts,
    SafetyFigures Chosen,
    SafetyFigures Beside,
    IReadOnlyList<Example> Misses,
    IReadOnlyList<Example> FalseAlarms,
    FaultTable Faults);

/// <summary>Which labelled messages the report is about.</summary>
public enum SafetySet
{
    /// <summary>The third that training has not seen.</summary>
    HeldBack,
    All,
}

/// <summary>One thing that must hold. <paramref name="Found"/> and <paramref name="Wanted"/> are for people.</summary>
public sealed record Gate(string Name, string Chinese, string English, string Wanted, string Found, bool IsMet);

/// <summary>Lines of the labelled set with one tier, source or mood: all, and those held back.</summary>
public sealed record SetCount(string Group, string Name, int All, int HeldBack);

/// <summary>Everything computed over one part of the set.</summary>
public sealed record SafetyFigures(string Name, int Messages, int Dialogues)
{
    /// <summary>Danger sent to a crisis reply, by tier and by groups of tiers.</summary>
    public required IReadOnlyList<NamedRate> Recall { get; init; }

    public required Proportion FriendsFound { get; init; }

    /// <summary>Harmless messages (T0) and hopeless ones (T1) sent to a crisis reply.</summary>
    public required Proportion AlarmsCalm { get; init; }

    public required Proportion AlarmsWorried { get; init; }

    public required Proportion AlarmsFriends { get; init; }

    /// <summary>Harmless messages that were answered with the caring question of T1 besides.</summary>
    public required Proportion QuestionsCalm { get; init; }

    public required IReadOnlyList<AlarmGroup> AlarmsBySource { get; init; }

    public required IReadOnlyList<AlarmGroup> AlarmsByKind { get; init; }

    public required IReadOnlyList<PatternRate> Patterns { get; init; }

    /// <summary>Rows: tier as labelled; columns: tier as judged; both in the order of <see cref="Tier"/>.</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Confusion { get; init; }

    public required Detection Happy { get; init; }

    /// <summary>Called happy, by labelled mood.</summary>
    public required IReadOnlyList<NamedRate> CalledHappy { get; init; }

    public required Calibration Calibration { get; init; }

    /// <summary>Danger against T0, and against T0, T1 and TF together.</summary>
    public required OperatingCurve AgainstCalm { get; init; }

    public required OperatingCurve AgainstAll { get; init; }

    public required IReadOnlyList<ScoreHistogram> Scores { get; init; }

    /// <summary>Dialogues routed rightly, lived through with a state.</summary>
    public required Proportion DialoguesRight { get; init; }

    /// <summary>Dialogues routed otherwise when sent as a history without a state.</summary>
    public required int DialoguesOtherwise { get; init; }

    public required double MedianMicros { get; init; }

    public required double SlowestPercentMicros { get; init; }
}

public sealed record NamedRate(string Name, Proportion Rate);

/// <summary>Alarms on harmless messages of one file or kind, apart for T0 and T1.</summary>
public sealed record AlarmGroup(string Name, Proportion Calm, Proportion Worried);

/// <summary>One of the 90 patterns: signs that must be found, and look-alikes that must be spared.</summary>
public sealed record PatternRate(string Id, Proportion Found, Proportion Spared)
{
    public const double Wanted = 0.90;

    /// <summary>The lower of both rates; null when the set holds no line of the pattern.</summary>
    public double? Worst => Found.Rate is { } found ? Math.Min(found, Spared.Rate ?? 1) : Spared.Rate;

    public bool IsBelow => Worst < Wanted;
}

/// <summary>How many messages of a class have a score in each of twenty equal parts of 0..1.</summary>
public sealed record ScoreHistogram(string Name, IReadOnlyList<int> Counts);

/// <summary>A message judged wrongly; the text is that of our own labelled set.</summary>
public sealed record Example(string Source, int Line, string Kind, Tier Labelled, Tier Judged, double Score, IReadOnlyList<string> Signals, IReadOnlyList<string> Turns);
