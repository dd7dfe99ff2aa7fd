using Microsoft.Extensions.AI;
using PsyLite.Server.Pipelines;

namespace PsyLite.Server;

/// <summary>A request for one turn, whatever dialect it came in.</summary>
/// <param name="Surface">Name of the way in, for log and metrics.</param>
/// <param name="Model">The name that the caller used, which the reply repeats.</param>
internal sealed record ServedTurn(string Surface, string Model, IReadOnlyList<ChatMessage> Messages, ChatOptions Options, Caller Caller, PipeValves Valves)
{
    /// <summary>The caller wants the reasoning, and the operator shows it.</summary>
    public bool ShowsReasoning { get; init; } = true;

    /// <summary>The JSON that the reply must travel in; null for plain text.</summary>
    public ReplyFormat? Format { get; init; }

    /// <summary>Collects the likelihoods of the reply's tokens; null where nobody asked for them.</summary>
    public TokenLikelihoods? Likelihoods { get; init; }
}
