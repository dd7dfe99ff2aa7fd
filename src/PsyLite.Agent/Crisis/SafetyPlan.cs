namespace PsyLite.Agent.Crisis;

/// <summary>The six steps of a safety plan (Stanley and Brown 2012), in their order.</summary>
public enum PlanStep
{
    Signs,
    Coping,
    Places,
    People,
    Professionals,
    Surroundings,
}

public enum PlanStage
{
    None,
    Offered,
    Writing,

    /// <summary>Left unfinished, by the person or because danger came first; what was written stays.</summary>
    Left,
    Done,
}

/// <summary>What a person wrote down for the next hard hour. Their words, kept as they wrote them; part of the conversation and of nothing else.</summary>
public sealed class SafetyPlan
{
    /// <summary>Characters kept of one answer.</summary>
    public const int LongestAnswer = 400;

    public const PlanStep Last = PlanStep.Surroundings;

    public PlanStage Stage { get; set; }

    /// <summary>The step that is asked about while <see cref="Stage"/> is Writing, or that comes next after a pause.</summary>
    public PlanStep Step { get; set; }

    /// <summary>One step of a finished plan is being written anew; afterwards the plan is done again.</summary>
    public bool IsRevision { get; set; }

    /// <summary>The plan was offered once; it is not pressed on anyone.</summary>
    public bool WasOffered { get; set; }

    public SortedDictionary<PlanStep, string> Answers { get; init; } = [];

    /// <summary>Keeps an answer, or none for a step that is skipped, and moves on.</summary>
    public void Answer(string? answer)
    {
        if (answer is not null)
        {
            Answers[Step] = answer.Length > LongestAnswer ? answer[..LongestAnswer] : answer;
        }

        if (Step == Last || IsRevision)
        {
            IsRevision = false;
            Stage = PlanStage.Done;
        }
        else
        {
            Step++;
        }
    }
}
