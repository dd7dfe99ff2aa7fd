using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.AI;
using Polly;
using Polly.Retry;
using PsyLite.Engine.Remote;

namespace PsyLite.DataPipeline;

/// <summary>How a teacher is asked.</summary>
internal sealed record TeacherOptions(string Model)
{
    public float? Temperature { get; init; }

    public int MaxTokens { get; init; } = 4096;

    /// <summary>Requests for one answer, the first among them.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>Wait before the second request; it doubles, with jitter, up to <see cref="LongestDelay"/>.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest Retry-After that is obeyed; a longer one is cut to it.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Currency per million tokens.</summary>
    public double PriceIn { get; init; }

    public double PriceOut { get; init; }
}

/// <summary>What was asked, paid and repeated; safe for concurrent use.</summary>
internal sealed class TeacherMeter
{
    private long _requests;
    private long _failures;
    private long _input;
    private long _output;

    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Requests that brought no answer.</summary>
    public long Failures => Volatile.Read(ref _failures);

    public long InputTokens => Volatile.Read(ref _input);

    public long OutputTokens => Volatile.Read(ref _output);

    public void Sent() => Interlocked.Increment(ref _requests);

    public void Failed() => Interlocked.Increment(ref _failures);

    public void Paid(long input, long output)
    {
        Interlocked.Add(ref _input, input);
        Interlocked.Add(ref _output, output);
    }

    public double Cost(TeacherOptions options) => Teacher.Price(options, InputTokens, OutputTokens);
}

/// <summary>
/// Asks a model through the journal: what is on record is not asked again, and an answer is on record before anybody sees it. Failures are repeated with
/// exponential back-off and jitter; a Retry-After pauses everybody.
/// </summary>
internal sealed class Teacher
{
    /// <summary>Tokens a character, of Chinese text in the vocabularies of today; for estimates alone.</summary>
    public const double TokensPerCharacter = 0.75;

    private readonly Lazy<IChatClient> _client;
    private readonly AnswerJournal _journal;
    private readonly RequestPacer _pacer;
    private readonly TeacherOptions _options;
    private readonly ResiliencePipeline _retry;

    /// <summary>Requests under way: rows that repeat one another ask once.</summary>
    private readonly ConcurrentDictionary<string, Lazy<Task<JournalEntry>>> _underWay = new();

    public Teacher(IChatClient client, TeacherOptions options, AnswerJournal journal, RequestPacer pacer, TimeProvider time)
        : this(new Lazy<IChatClient>(client), options, journal, pacer, time)
    {
    }

    /// <param name="client">Made for the first request, so that an estimate connects to nobody.</param>
    public Teacher(Lazy<IChatClient> client, TeacherOptions options, AnswerJournal journal, RequestPacer pacer, TimeProvider time)
    {
        (_client, _options, _journal, _pacer) = (client, options, journal, pacer);
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        _retry = options.Attempts < 2 ? ResiliencePipeline.Empty : builder.AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<RemoteException>(f => !f.IsRequestFault && !IsFatal(f)),
            MaxRetryAttempts = options.Attempts - 1,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = options.FirstDelay,
            MaxDelay = options.LongestDelay,
            DelayGenerator = arguments => ValueTask.FromResult(arguments.Outcome.Exception is RemoteException { RetryAfter: { } asked } ? Bounded(asked) : (TimeSpan?)null),
            OnRetry = arguments =>
            {
                if (arguments.Outcome.Exception is RemoteException { RetryAfter: { } asked })
                {
                    _pacer.Pause(Bounded(asked));
                }

                return default;
            },
        }).Build();
    }

    public TeacherMeter Meter { get; } = new();

    public TeacherOptions Options => _options;

    /// <summary>True for faults that every request would meet: a wrong key, no money, no such model.</summary>
    public static bool IsFatal(RemoteException fault) => fault.Status is 401 or 402 or 403 or 404;

    /// <summary>Name of a request: the same whenever the same model is asked the same in the same try.</summary>
    public string KeyOf(IReadOnlyList<ChatMessage> messages, int attempt)
    {
        var text = new StringBuilder($"1\0{_options.Model}\0{_options.Temperature}\0{_options.MaxTokens}\0{attempt}");
        foreach (var message in messages)
        {
            text.Append('\0').Append(message.Role.Value).Append('\0').Append(message.Text);
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..32];
    }

    public JournalEntry? OnRecord(string key) => _journal.Find(key);

    /// <summary>Money for so many tokens.</summary>
    public static double Price(TeacherOptions options, long input, long output) => ((input * options.PriceIn) + (output * options.PriceOut)) / 1e6;

    public static long Estimate(IReadOnlyList<ChatMessage> messages) => (long)(messages.Sum(m => m.Text.Length + 4) * TokensPerCharacter);

    /// <summary>The answer on record, or a new one.</summary>
    /// <exception cref="RemoteException">All attempts failed, or the fault is one that every request would meet.</exception>
    public async Task<JournalEntry> AskAsync(string key, IReadOnlyList<ChatMessage> messages, long? seed, CancellationToken cancellationToken)
    {
        if (_journal.Find(key) is { } known)
        {
            return known;
        }

        var asking = _underWay.GetOrAdd(key, k => new Lazy<Task<JournalEntry>>(() => AskOnceAsync(k, messages, seed, cancellationToken)));
        try
        {
            return await asking.Value;
        }
        finally
        {
            _underWay.TryRemove(new KeyValuePair<string, Lazy<Task<JournalEntry>>>(key, asking));
        }
    }

    private async Task<JournalEntry> AskOnceAsync(string key, IReadOnlyList<ChatMessage> messages, long? seed, CancellationToken cancellationToken)
    {
        // Another may have brought it between the look at the journal and now.
        if (_journal.Find(key) is { } known)
        {
            return known;
        }

        var chat = new ChatOptions { Temperature = _options.Temperature, MaxOutputTokens = _options.MaxTokens, Seed = seed, AdditionalProperties = new() { [RemoteChatClient.OnceKey] = key } };
        _journal.Add(new JournalEntry(key, JournalState.Asked));
        JournalEntry entry;
        try
        {
            var response = await _retry.ExecuteAsync(async token => await SendAsync(messages, chat, token), cancellationToken);
            var text = response.Text.Trim() is { Length: > 0 } content ? content
                : string.Concat(response.Messages.SelectMany(m => m.Contents).OfType<TextReasoningContent>().Select(r => r.Text)).Trim();
            var reasoning = response.Text.Trim().Length > 0 ? string.Concat(response.Messages.SelectMany(m => m.Contents).OfType<TextReasoningContent>().Select(r => r.Text)).Trim() : "";
            entry = new JournalEntry(key, JournalState.Answered, text, response.FinishReason?.Value ?? "", response.Usage?.InputTokenCount ?? Estimate(messages),
                response.Usage?.OutputTokenCount ?? (long)((text.Length + reasoning.Length) * TokensPerCharacter))
            { Reasoning = reasoning };
        }
        catch (RemoteException fault) when (fault.IsRequestFault)
        {
            entry = new JournalEntry(key, JournalState.Refused);
        }

        _journal.Add(entry);
        Meter.Paid(entry.InputTokens, entry.OutputTokens);
        return entry;
    }

    private async Task<ChatResponse> SendAsync(IReadOnlyList<ChatMessage> messages, ChatOptions chat, CancellationToken cancellationToken)
    {
        var estimate = Estimate(messages) + (_options.MaxTokens / 4);
        await _pacer.WaitAsync(estimate, cancellationToken);
        Meter.Sent();
        try
        {
            var response = await _client.Value.GetResponseAsync(messages, chat, cancellationToken);
            _pacer.Correct(estimate, response.Usage?.TotalTokenCount ?? estimate);
            return response;
        }
        catch (RemoteException)
        {
            Meter.Failed();
            throw;
        }
    }

    private TimeSpan Bounded(TimeSpan asked) => asked < _options.LongestPause ? asked : _options.LongestPause;
}
