using Microsoft.Extensions.AI;

namespace PsyLite.Agent;

/// <summary>Why a model stopped giving text.</summary>
internal enum ModelEnd
{
    Running,
    Stopped,
    Length,
    Failed,
    TimedOut,
}

/// <summary>
/// One streamed model answer with limits on waiting. Failures are values: nothing that a model does reaches the caller as an
/// exception, except the caller's own cancellation.
/// </summary>
internal sealed class ModelReply(IChatClient model, IReadOnlyList<ChatMessage> messages, ChatOptions? options, TurnOptions waits, TimeProvider time)
{
    private readonly ReasoningSplitter _splitter = new();
    private int _pieces;
    private int? _counted;

    public ModelEnd End { get; private set; }

    /// <summary>Tokens of the reply as the model counted them, or the pieces received.</summary>
    public int Tokens { get; private set; }

    /// <summary>Tokens of the prompt as the model counted them; 0 when it did not say.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>Pieces of (reasoning, reply) as they arrive.</summary>
    public async IAsyncEnumerable<(string Reasoning, string Reply)> ReadAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        IAsyncEnumerator<ChatResponseUpdate>? source = null;
        var isFirst = true;
        var started = time.GetTimestamp();
        var longest = 0;
        Task<bool>? pending = null;
        try
        {
            source = Open(stop.Token);
            while (End == ModelEnd.Running && source is not null)
            {
                pending = Move(source);
                if (!await Arrived(pending, isFirst ? waits.FirstToken : waits.Idle, cancellationToken))
                {
                    break;
                }

                pending = null;
                var (reasoning, reply) = Split(source.Current);
                if (reasoning.Length + reply.Length == 0)
                {
                    continue;
                }

                isFirst = false;
                longest += reasoning.Length + reply.Length;
                yield return (reasoning, reply);
                if (longest > waits.LongestText || time.GetElapsedTime(started) > waits.WholeReply)
                {
                    End = ModelEnd.Length;
                }
            }

            yield return _splitter.Finish();
        }
        finally
        {
            await stop.CancelAsync();
            if (source is not null)
            {
                await Close(source, pending);
            }
        }
    }

    private static async Task Close(IAsyncEnumerator<ChatResponseUpdate> source, Task<bool>? pending)
    {
        if (pending is { IsCompleted: false })
        {
            // A model that hangs is let go: an enumerator may not be disposed while it runs.
            _ = pending.ContinueWith(done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return;
        }

        try
        {
            await source.DisposeAsync();
        }
        catch (Exception)
        {
            // The reply is over; a fault while letting go of the model changes nothing for the person.
        }
    }

    private IAsyncEnumerator<ChatResponseUpdate>? Open(CancellationToken stop)
    {
        try
        {
            return model.GetStreamingResponseAsync(messages, options, stop).GetAsyncEnumerator(stop);
        }
        catch (Exception)
        {
            End = ModelEnd.Failed;
            return null;
        }
    }

    private static Task<bool> Move(IAsyncEnumerator<ChatResponseUpdate> source)
    {
        try
        {
            return source.MoveNextAsync().AsTask();
        }
        catch (Exception fault)
        {
            return Task.FromException<bool>(fault);
        }
    }

    private async Task<bool> Arrived(Task<bool> pending, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            if (await pending.WaitAsync(limit, time, cancellationToken))
            {
                return true;
            }

            End = End == ModelEnd.Running ? ModelEnd.Stopped : End;
            return false;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (TimeoutException) when (!pending.IsCompleted)
        {
            End = ModelEnd.TimedOut;
            return false;
        }
        catch (Exception)
        {
            End = ModelEnd.Failed;
            return false;
        }
    }

    private (string Reasoning, string Reply) Split(ChatResponseUpdate update)
    {
        var (reasoning, reply) = ("", "");
        foreach (var content in update.Contents)
        {
            switch (content)
            {
                case TextReasoningContent thought:
                    reasoning += thought.Text;
                    break;
                case TextContent text:
                    var parts = _splitter.Add(text.Text);
                    reasoning += parts.Reasoning;
                    reply += parts.Reply;
                    break;
                case UsageContent usage:
                    _counted = Whole(usage.Details.OutputTokenCount) ?? _counted;
                    PromptTokens = Whole(usage.Details.InputTokenCount) ?? PromptTokens;
                    break;
                case ErrorContent:
                    End = ModelEnd.Failed;
                    break;
            }
        }

        if (update.FinishReason == ChatFinishReason.Length)
        {
            End = ModelEnd.Length;
        }

        _pieces += reply.Length > 0 ? 1 : 0;
        Tokens = _counted ?? _pieces;
        return (reasoning, reply);
    }

    private static int? Whole(long? count) => count is { } number ? (int)Math.Clamp(number, 0, int.MaxValue) : null;
}
