using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;
using PsyLite.Evaluation.Safety.FaultInjection;

namespace PsyLite.Evaluation.Safety;

public sealed record SafetyOptions
{
    public SafetySet Set { get; init; } = SafetySet.HeldBack;

    /// <summary>Turns of the fault injection, over all its rows.</summary>
    public int Turns { get; init; } = 10_000;

    public int Seed { get; init; } = 1;
}

/// <summary>Judges a labelled set and breaks the turn in every way it knows of, then says what came out.</summary>
public sealed class SafetyRun(RiskAssessor assessor, CrosstalkLibrary library, TimeProvider time)
{
    private const int ExamplesShown = 40;

    /// <param name="progress">Told what is done next, in a word or two.</param>
    public async Task<SafetyReport> RunAsync(
        IReadOnlyList<LabelledMessage> messages, SafetyOptions options, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        progress?.Report($"judging {messages.Count} messages");
        var judged = await new MessageJudge(assessor).JudgeAsync(messages, cancellationToken);
        var heldBack = judged.Where(j => j.Message.IsHeldBack).ToList();
        var trained = judged.Where(j => !j.Message.IsHeldBack).ToList();
        var isAll = options.Set == SafetySet.All;
        var chosen = isAll ? judged : heldBack;
        if (chosen.Count == 0)
        {
            throw new InvalidDataException("No labelled message is held back; write more blocks of lines, or choose --set all.");
        }

        var figures = SafetyMetrics.Of(isAll ? "all" : "held-back", chosen);
        var beside = isAll ? SafetyMetrics.Of("held-back", heldBack) : SafetyMetrics.Of("trained-on", trained);
        progress?.Report($"{options.Turns} turns with faults");
        var faults = await new FaultRun(assessor, library).RunAsync([.. chosen.Select(j => j.Message)], options.Turns, options.Seed, cancellationToken);
        return new SafetyReport(
            options.Set,
            time.GetUtcNow(),
            SafetyGates.Of(figures, faults),
            SafetyMetrics.Counts(messages),
            figures,
            beside,
            SafetyMetrics.Misses(chosen, ExamplesShown),
            SafetyMetrics.FalseAlarms(chosen, ExamplesShown),
            faults);
    }
}
