using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace PsyLite;

/// <summary>
/// Likelihoods of a reply's tokens on their way past the turn, which deals in text alone. A model that can tell them reads
/// <see cref="Alternatives"/> from a request's additional properties and sets <see cref="Property"/> of each update to a
/// <see cref="JsonArray"/> of OpenAI's entries: token, logprob, bytes, top_logprobs.
/// </summary>
internal sealed class TokenLikelihoods
{
    /// <summary>Additional property of a response update.</summary>
    public const string Property = "logprobs";

    /// <summary>Additional property of the options: how many alternatives to tell for each token.</summary>
    public const string Alternatives = "top_logprobs";

    private const string Collector = "psylite.likelihoods";
    private readonly Lock _lock = new();
    private JsonArray _waiting = [];

    /// <summary>Makes these options ask for likelihoods, which come to the result.</summary>
    public static TokenLikelihoods AskIn(ChatOptions options, int alternatives)
    {
        var likelihoods = new TokenLikelihoods();
        options.AdditionalProperties ??= [];
        options.AdditionalProperties[Alternatives] = alternatives;
        options.AdditionalProperties[Collector] = likelihoods;
        return likelihoods;
    }

    /// <summary>Keeps what an update tells, if somebody asked.</summary>
    public static void Collect(ChatOptions? options, ChatResponseUpdate update)
    {
        if (options?.AdditionalProperties?.GetValueOrDefault(Collector) is TokenLikelihoods wanted
            && update.AdditionalProperties?.GetValueOrDefault(Property) is JsonArray told)
        {
            lock (wanted._lock)
            {
                foreach (var entry in told)
                {
                    wanted._waiting.Add(entry?.DeepClone());
                }
            }
        }
    }

    /// <summary>What came since the last time; null when nothing did.</summary>
    public JsonArray? Take()
    {
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                return null;
            }

            var taken = _waiting;
            _waiting = [];
            return taken;
        }
    }
}
