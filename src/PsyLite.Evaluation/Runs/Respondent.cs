using Microsoft.Extensions.AI;

namespace PsyLite.Evaluation.Runs;

/// <summary>How an answer is chosen. The seed makes a sampled one repeatable.</summary>
public sealed record Sampling(float Temperature, int MaxTokens, long Seed = 0);

/// <summary>
/// What a model said. <paramref name="Text"/> holds no reasoning; <paramref name="Finish"/> is stop, length, <see cref="Refused"/>, or what the
/// turn around the model says; <paramref name="Note"/> is the route and tier of that turn.
/// </summary>
public sealed record Answer(string Text, string Reasoning = "", string Finish = "stop", int PromptTokens = 0, int Tokens = 0, string Note = "")
{
    /// <summary>What <see cref="Finish"/> says where an engine did not take the request; <see cref="Note"/> says why.</summary>
    public const string Refused = "refused";

    /// <summary>Natural-log likelihoods, where likelihoods were asked for and not words.</summary>
    public IReadOnlyList<double>? Scores { get; init; }
}

/// <summary>Everything about a model that a result depends on, for the manifest. Null where an engine elsewhere does not tell.</summary>
public sealed record ModelFacts(string Name, string Engine)
{
    public string? Sha256 { get; init; }

    public string? TemplateSha256 { get; init; }

    /// <summary>Architecture, size and quantisation.</summary>
    public string? Description { get; init; }

    public string? Endpoint { get; init; }

    public int? ContextLength { get; init; }

    /// <summary>Whether the whole counselling turn stands around the model.</summary>
    public bool WithAgent { get; init; }

    /// <summary>Further settings of the engine that a result may depend on.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>Asks a model for words.</summary>
public delegate Task<Answer> AskModel(IReadOnlyList<ChatMessage> messages, Sampling sampling, CancellationToken cancellationToken);

/// <summary>
/// Natural-log likelihoods of plain texts behind the beginning that all share, with no chat template around them.
/// </summary>
public delegate Task<SharedTextLikelihoods> TextLikelihoods(IReadOnlyList<string> texts, CancellationToken cancellationToken);

/// <summary>Likelihoods of texts that begin alike.</summary>
/// <param name="Shared">That of the shared beginning; null where the texts are equally long, for then it does not matter.</param>
/// <param name="SharedTokens">Tokens of that beginning.</param>
/// <param name="Rest">Those of what follows, text by text.</param>
/// <param name="RestTokens">Tokens of what follows.</param>
public sealed record SharedTextLikelihoods(double? Shared, int SharedTokens, IReadOnlyList<double> Rest, IReadOnlyList<int> RestTokens)
{
    /// <summary>The text with the lowest perplexity, all tokens counted alike.</summary>
    public int Likeliest => Enumerable.Range(0, Rest.Count).MaxBy(i => ((Shared ?? 0) + Rest[i]) / (SharedTokens + RestTokens[i]));
}

/// <summary>A model under test, or one that judges.</summary>
/// <param name="Parallel">Requests worth making at once.</param>
public sealed record Respondent(ModelFacts Facts, AskModel Ask, int Parallel)
{
    /// <summary>Null where the engine tells no likelihoods of plain text.</summary>
    public TextLikelihoods? Texts { get; init; }

    /// <summary>Tokens of a text; null where the engine keeps its vocabulary to itself.</summary>
    public Func<string, int>? CountTokens { get; init; }
}
