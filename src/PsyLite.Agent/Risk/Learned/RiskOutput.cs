namespace PsyLite.Agent.Risk.Learned;

/// <summary>What the classifier tells apart. Each output is a yes-or-no question of its own; the numbers are columns of the model file.</summary>
public enum RiskOutput
{
    /// <summary>The person or someone in their hands is in danger: T2, T3, T4, TO or TA.</summary>
    Danger = 0,

    /// <summary>Plan, means, intent, goodbye or act: T3 or T4.</summary>
    Acute = 1,

    /// <summary>The act has begun: T4.</summary>
    Act = 2,

    /// <summary>Hopeless or worse: T1 to T4.</summary>
    Worry = 3,

    /// <summary>Someone else is in danger: TF.</summary>
    Friend = 4,

    /// <summary>Harm to others: TO.</summary>
    Harm = 5,

    /// <summary>Abuse or a minor in danger: TA.</summary>
    Abuse = 6,

    /// <summary>Good mood.</summary>
    Happy = 7,

    /// <summary>Low mood, worry or hurt.</summary>
    Sad = 8,

    /// <summary>Anger.</summary>
    Angry = 9,

    /// <summary>A request for help with something harmful.</summary>
    HarmfulRequest = 10,
}

/// <summary>Properties of the outputs that training and scoring share.</summary>
public static class RiskOutputs
{
    public const int Count = 11;

    /// <summary>What an output's probability is made of: the linear part's logit, the network's, and <see cref="LengthOf"/>.</summary>
    public const int Parts = 3;

    /// <summary>The more windows a text has, the higher the largest of their logits stands by chance.</summary>
    public static float LengthOf(int windows) => MathF.Log(windows);

    /// <summary>Mood belongs to the whole message; everything else to the clause that says it most clearly.</summary>
    public static bool IsOfWholeMessage(int output) => (RiskOutput)output is RiskOutput.Happy or RiskOutput.Sad or RiskOutput.Angry;
}
