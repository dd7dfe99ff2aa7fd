using Microsoft.Extensions.AI;

namespace PsyLite.Agent;

/// <summary>
/// How a turn speaks and waits. The waits suit a 7B model on two cores.
/// </summary>
public sealed record TurnOptions
{
    public TimeSpan Judge { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Three minutes are what 4,096 tokens of history take a 7B model on two cores when none of them is in its cache.</summary>
    public TimeSpan FirstToken { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Longest silence between two pieces of a reply.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan WholeReply { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Characters of reasoning and reply together.</summary>
    public int LongestText { get; init; } = 20_000;

    /// <summary>Characters of history that are sent to the model; older messages are left out.</summary>
    public int LongestHistory { get; init; } = 6_000;

    /// <summary>What the model reads before the conversation; null for models trained without one, as in the paper's template.</summary>
    public string? SystemPrompt { get; init; } = Prompts.PromptText.System;

    /// <summary>Sampling temperature where the caller names none; null leaves it to the engine.</summary>
    public float? Temperature { get; init; }

    /// <summary>
    /// In doubt about danger the model's own likelihoods are asked, and can only raise the tier. Off for models too small to know.
    /// </summary>
    public bool AsksModelInDoubt { get; init; } = true;

    /// <summary>
    /// The host delivers a message on <see cref="TurnEvent.ContactConsented"/>. Only then is the person asked whether one may be sent;
    /// otherwise they get the words to send themselves.
    /// </summary>
    public bool CanReachContact { get; init; }

    /// <summary>
    /// Told the conversation as the model will find it when the person writes on; what can be computed of it meanwhile need not be
    /// waited for then. Must return at once and not throw.
    /// </summary>
    public Action<IReadOnlyList<ChatMessage>>? ReadAhead { get; init; }

    /// <summary>Tells the hash of the model file, for the audit; it tells null as long as the host does not know it.</summary>
    public Func<string?> ModelHash { get; init; } = () => null;

    /// <summary>The caller's options with what these settings add.</summary>
    internal ChatOptions? Complete(ChatOptions? asked)
    {
        if (Temperature is null || asked?.Temperature is not null)
        {
            return asked;
        }

        var completed = asked?.Clone() ?? new ChatOptions();
        completed.Temperature = Temperature;
        return completed;
    }
}
