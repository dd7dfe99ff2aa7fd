namespace PsyLite.Engine;

/// <summary>What to generate after a prompt.</summary>
/// <param name="MaxTokens">Most tokens of the reply; null lets it run until the context is full.</param>
internal sealed record GenerationRequest(SamplingSettings Sampling, int? MaxTokens, IReadOnlyList<string> Stops);

/// <summary>How a reply ended.</summary>
internal enum GenerationEnd
{
    /// <summary>The model ended it, or a stop string came.</summary>
    Stop,

    /// <summary>The token limit or the context's end was reached.</summary>
    Length,
}

/// <summary>The account of one generation.</summary>
/// <param name="Started">When its turn came, in stopwatch ticks.</param>
/// <param name="QueueTime">How long it had waited then.</param>
/// <param name="CachedTokens">Prompt tokens that a former request had already computed.</param>
internal sealed record GenerationResult(GenerationEnd End, int PromptTokens, int CachedTokens, int ReplyTokens, long Started, TimeSpan QueueTime, TimeSpan PromptTime, TimeSpan ReplyTime);
