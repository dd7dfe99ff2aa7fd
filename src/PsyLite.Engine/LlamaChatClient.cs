using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using PsyLite.Models.Text;

namespace PsyLite.Engine;

/// <summary>
/// A model in this process as a chat client and label scorer. Requests of several callers are computed together; history is
/// passed with each request, and what it shares with requests before is not computed again.
/// </summary>
/// <remarks>
/// Beyond the standard options, min_p, repeat_penalty and repeat_last_n are read from
/// <see cref="ChatOptions.AdditionalProperties"/>. Tools and response formats are ignored. Usage carries
/// <see cref="QueueMicros"/>, <see cref="PromptMicros"/> and <see cref="ReplyMicros"/> among its additional counts.
/// </remarks>
public sealed class LlamaChatClient : IChatClient, ILabelScorer
{
    /// <summary>Additional count of a response's usage: microseconds from the request's turn to its first logits.</summary>
    public const string PromptMicros = "prompt_micros";

    /// <summary>Additional count of a response's usage: microseconds spent on the reply's tokens.</summary>
    public const string ReplyMicros = "reply_micros";

    /// <summary>Additional count of a response's usage: microseconds from the request's coming to its turn.</summary>
    public const string QueueMicros = "queue_micros";

    private readonly LlamaModel model;
    private readonly LlamaScheduler scheduler;
    private readonly ChatPrompt prompt;
    private readonly TimeProvider clock;
    private readonly ChatClientMetadata metadata;

    /// <summary>Makes a client with a context of its own; the model may be disposed before it.</summary>
    /// <exception cref="LlamaException">There is no memory for the context.</exception>
    /// <param name="cache">Where conversations are kept that memory has no room for; null keeps them in memory only.</param>
    public LlamaChatClient(LlamaModel model, string? modelId = null, TimeProvider? clock = null, EngineCacheOptions? cache = null)
    {
        this.model = model;
        this.clock = clock ?? TimeProvider.System;
        metadata = new ChatClientMetadata("llama.cpp", null, modelId ?? Path.GetFileNameWithoutExtension(model.Path));
        prompt = new ChatPrompt(model.Vocabulary, model.Template);
        scheduler = new LlamaScheduler(model, cache);
    }

    internal LlamaScheduler Scheduler => scheduler;

    /// <summary>Done when the first decode has been made; requests may come before.</summary>
    public Task Ready => scheduler.Ready;

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var conversation = Conversation(messages, options);
        var request = new GenerationRequest(SamplingSettings.From(options), options?.MaxOutputTokens, [.. options?.StopSequences ?? []]);
        ArgumentOutOfRangeException.ThrowIfLessThan(request.MaxTokens ?? 1, 1);
        var responseId = Guid.NewGuid().ToString("N");
        ChatResponseUpdate Update(IList<AIContent> contents) => new(ChatRole.Assistant, contents)
        {
            ResponseId = responseId,
            MessageId = responseId,
            ModelId = metadata.DefaultModelId,
            CreatedAt = clock.GetUtcNow(),
        };

        var tokens = scheduler.Encode(() => prompt.Encode(conversation));
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var handover = new TextHandover();
        var generation = scheduler.GenerateAsync(tokens, request, handover, abandoned.Token);
        var splitter = new ThinkSplitter();
        try
        {
            while (await handover.ReadAsync(abandoned.Token) is { } text)
            {
                if (Contents(splitter.Push(text)) is { Count: > 0 } contents)
                {
                    yield return Update(contents);
                }
            }

            var result = await generation;
            var last = Update([.. Contents(splitter.Finish()), new UsageContent(Usage(result))]);
            last.FinishReason = result.End == GenerationEnd.Stop ? ChatFinishReason.Stop : ChatFinishReason.Length;
            yield return last;
        }
        finally
        {
            // Stops the decoder within a token when the reader leaves early; its cancellation is then nobody's news.
            await abandoned.CancelAsync();
            await ((Task)generation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async ValueTask<IReadOnlyList<double>> ScoreAsync(
        IReadOnlyList<ChatMessage> conversation, IReadOnlyList<string> continuations, CancellationToken cancellationToken = default)
    {
        if (continuations.Count == 0)
        {
            return [];
        }

        var (tokens, labels) = scheduler.Encode(() => (prompt.Encode(conversation), continuations.Select(prompt.EncodePlain).ToList()));
        return await scheduler.ScoreAsync(tokens, labels, cancellationToken);
    }

    /// <summary>
    /// Computes a conversation up to the place where its next message will stand, in moments in which nobody waits for a reply. A reply comes back
    /// without its reasoning, so the model has not seen it in that form: read while the person reads it too, it costs the next turn nothing.
    /// </summary>
    /// <param name="conversation">Ends with the reply.</param>
    public void ReadAhead(IReadOnlyList<ChatMessage> conversation)
    {
        // Whatever the template: what two different messages have before them alike.
        var prompts = scheduler.Encode(() => Array.ConvertAll(["\u4e00", "A"], text => prompt.Encode([.. conversation, new ChatMessage(ChatRole.User, text)])));
        scheduler.ReadAhead(prompts[0][..prompts[0].AsSpan().CommonPrefixLength(prompts[1])]);
    }

    /// <summary>Scores whole texts as plain text behind the model's beginning token, with no chat template. What they share is computed once.</summary>
    /// <exception cref="LlamaException">They do not fit the context.</exception>
    public async Task<TextScores> ScoreTextsAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(texts.Count);
        var tokens = scheduler.Encode(() => texts.Select(text => model.Vocabulary.Encode(text, parseSpecial: false, addSpecial: true)).ToList());
        var shared = tokens.Min(t => t.Length) - 1;
        shared = tokens.Skip(1).Select(t => t.AsSpan().CommonPrefixLength(tokens[0])).Prepend(shared).Min();
        if (shared < 1)
        {
            throw new ArgumentException("The texts must begin alike: scoring needs a token before the first that is scored.", nameof(texts));
        }

        var beginning = tokens[0][..shared];
        var rest = tokens.Select(t => t[shared..]).ToList();
        var scores = await scheduler.ScoreAsync(beginning, rest, cancellationToken, keepsPrompt: true);
        var isEvenLong = rest.All(r => r.Length == rest[0].Length);
        double? whole = isEvenLong ? null : shared == 1 ? 0 : (await scheduler.ScoreAsync(beginning[..1], [beginning[1..]], cancellationToken))[0];
        return new TextScores(whole, shared, scores, [.. rest.Select(r => r.Length)]);
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        if (serviceKey is not null)
        {
            return null;
        }

        return serviceType == typeof(ChatClientMetadata) ? metadata
            : serviceType == typeof(LlamaModel) ? model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    public void Dispose() => scheduler.Dispose();

    private static List<ChatMessage> Conversation(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        List<ChatMessage> conversation = [.. messages];
        if (!string.IsNullOrEmpty(options?.Instructions))
        {
            conversation.Insert(0, new ChatMessage(ChatRole.System, options.Instructions));
        }

        return conversation;
    }

    private static List<AIContent> Contents(ThinkDelta delta)
    {
        var contents = new List<AIContent>(2);
        if (delta.Reasoning.Length > 0)
        {
            contents.Add(new TextReasoningContent(delta.Reasoning));
        }

        if (delta.Content.Length > 0)
        {
            contents.Add(new TextContent(delta.Content));
        }

        return contents;
    }

    private static UsageDetails Usage(GenerationResult result) => new()
    {
        InputTokenCount = result.PromptTokens,
        CachedInputTokenCount = result.CachedTokens,
        OutputTokenCount = result.ReplyTokens,
        TotalTokenCount = result.PromptTokens + result.ReplyTokens,
        AdditionalCounts = new AdditionalPropertiesDictionary<long>
        {
            [QueueMicros] = (long)result.QueueTime.TotalMicroseconds,
            [PromptMicros] = (long)result.PromptTime.TotalMicroseconds,
            [ReplyMicros] = (long)result.ReplyTime.TotalMicroseconds,
        },
    };
}
