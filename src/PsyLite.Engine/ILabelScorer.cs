using Microsoft.Extensions.AI;

namespace PsyLite.Engine;

/// <summary>Tells how likely a model finds given texts, where a chat client could only generate one.</summary>
public interface ILabelScorer
{
    /// <summary>
    /// Natural-log likelihood of each continuation as the beginning of the assistant's next message; that of a text of several
    /// tokens is their sum, that of an empty one 0. The conversation stays cached for a reply that follows.
    /// </summary>
    ValueTask<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<ChatMessage> conversation, IReadOnlyList<string> continuations, CancellationToken cancellationToken = default);
}
