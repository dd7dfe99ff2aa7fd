using System.Collections.Concurrent;

namespace PsyLite.Engine;

/// <summary>What the engine is doing.</summary>
/// <param name="Running">Requests being computed.</param>
/// <param name="Waiting">Requests that wait for a sequence or for room.</param>
/// <param name="IdleSequences">Sequences that a request could take.</param>
/// <param name="UsedCells">Tokens whose keys and values are held, of running and kept conversations.</param>
public sealed record EngineLoad(int Running, int Waiting, int IdleSequences, int UsedCells);

/// <summary>Takes requests from any thread, and computes them on one of its own, as many at once as the plan has sequences.</summary>
internal sealed class LlamaScheduler : IDisposable
{
    /// <summary>Requests that may wait; some seconds of a page's patience on a fast model, an hour on a slow one.</summary>
    public const int MostWaiting = 1024;

    /// <summary>Tokens of prompts and replies that may wait: a bound on memory and on promises.</summary>
    public const long MostWaitingTokens = 4L << 20;

    private readonly LlamaModel model;
    private readonly DecodingSteps steps;
    private readonly Thread thread;
    private readonly BlockingCollection<Action> intake = [];
    private readonly CancellationTokenSource closing = new();
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Held while a caller's thread uses the vocabulary, which goes with the context.</summary>
    private readonly ReaderWriterLockSlim vocabularyInUse = new();
    private int open;
    private long openTokens;

    public LlamaScheduler(LlamaModel model, EngineCacheOptions? cache = null)
    {
        this.model = model;
        steps = new DecodingSteps(model, cache);
        thread = new Thread(Run) { Name = "llama", IsBackground = true };
        thread.Start();
    }

    /// <summary>Done when the first decode has been made, so that no request pays for it.</summary>
    public Task Ready => ready.Task;

    /// <summary>Replies to a prompt. The text goes through the handover, which ends as the task does.</summary>
    /// <exception cref="LlamaException">The prompt and the room asked for do not fit, or too many requests wait.</exception>
    public async Task<GenerationResult> GenerateAsync(int[] prompt, GenerationRequest request, TextHandover handover, CancellationToken cancellationToken)
    {
        try
        {
            var room = request.MaxTokens ?? Math.Max(steps.ContextLength - prompt.Length, 1);
            CheckLength(prompt, room);
            return await SubmitAsync(
                token => new GenerationJob(prompt, room, request, model.Vocabulary, handover, token), prompt.Length + room, job => job.Done, cancellationToken);
        }
        catch (Exception failure)
        {
            // A request that never came to run ends its text here; for others this says nothing new.
            handover.Complete(failure);
            throw;
        }
    }

    /// <summary>Natural-log likelihood of each continuation after the prompt.</summary>
    /// <exception cref="LlamaException">They do not fit, or too many requests wait.</exception>
    /// <param name="keepsPrompt">Others will ask with the same beginning.</param>
    public async Task<double[]> ScoreAsync(int[] prompt, IReadOnlyList<int[]> continuations, CancellationToken cancellationToken, bool keepsPrompt = false)
    {
        var room = model.Plan.SharedCells ? continuations.Sum(c => Math.Max(c.Length - 1, 0)) : continuations.Max(c => Math.Max(c.Length - 1, 0));
        CheckLength(prompt, room);
        return await SubmitAsync(token => new ScoreJob(prompt, room, continuations, keepsPrompt, token), prompt.Length + room, job => job.Done, cancellationToken);
    }

    /// <summary>Computes the beginning of a prompt that will come, while nobody waits for anything. Nothing tells whether it came to that.</summary>
    public void ReadAhead(int[] prompt)
    {
        if (prompt.Length > 0 && prompt.Length <= steps.ContextLength)
        {
            Post(() => steps.AddLater(new AheadJob(prompt, closing.Token)));
        }
    }

    /// <summary>Tokenises on the caller's thread.</summary>
    /// <exception cref="ObjectDisposedException">The scheduler is closed.</exception>
    public T Encode<T>(Func<T> encode)
    {
        vocabularyInUse.EnterReadLock();
        try
        {
            ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
            return encode();
        }
        finally
        {
            vocabularyInUse.ExitReadLock();
        }
    }

    /// <summary>Does work on the decoding thread between two steps.</summary>
    public async Task<T> InspectAsync<T>(Func<DecodingSteps, T> look)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() => done.SetResult(look(steps)));
        return await done.Task;
    }

    public void Dispose()
    {
        if (closing.IsCancellationRequested)
        {
            return;
        }

        vocabularyInUse.EnterWriteLock();
        closing.Cancel();
        vocabularyInUse.ExitWriteLock();
        intake.CompleteAdding();
        thread.Join();
        intake.Dispose();
        closing.Dispose();
    }

    private async Task<T> SubmitAsync<TJob, T>(Func<CancellationToken, TJob> create, int tokens, Func<TJob, Task<T>> done, CancellationToken cancellationToken)
        where TJob : EngineJob
    {
        ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
        var requests = Interlocked.Increment(ref open);
        var promised = Interlocked.Add(ref openTokens, tokens);
        try
        {
            if (requests > MostWaiting + model.Plan.Sequences || promised > MostWaitingTokens + model.Plan.Cells)
            {
                throw new LlamaException(LlamaError.Busy, $"The engine is busy, {MostWaiting} requests wait already: try again in a moment.");
            }

            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, closing.Token);
            var job = create(linked.Token);
            using var interrupt = linked.Token.Register(() => steps.Interrupt(job));
            Post(() => steps.Add(job));
            return await done(job);
        }
        finally
        {
            Interlocked.Decrement(ref open);
            Interlocked.Add(ref openTokens, -tokens);
        }
    }

    private void Post(Action action)
    {
        try
        {
            intake.Add(action);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(LlamaScheduler));
        }
    }

    private void CheckLength(int[] prompt, int room)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length);
        if (prompt.Length + room > steps.ContextLength)
        {
            throw new LlamaException(
                LlamaError.PromptTooLong,
                $"The conversation ({prompt.Length} tokens) and the reply asked for ({room}) exceed the context of {steps.ContextLength} tokens: shorten the history, lower the reply's token limit, or load the model with a longer context.");
        }
    }

    private void Run()
    {
        using (steps)
        {
            try
            {
                steps.Tuning.Run();
                ready.SetResult();
            }
            catch (LlamaException failure)
            {
                ready.SetException(failure);
            }

            // Blocks while there is nothing to compute, and only looks for news while there is.
            while (intake.TryTake(out var action, steps.IsIdle ? Timeout.Infinite : 0) || !steps.IsIdle)
            {
                action?.Invoke();
                if (closing.IsCancellationRequested)
                {
                    steps.CancelAll();
                }
                else if (intake.Count == 0)
                {
                    steps.Step();
                }
            }
        }
    }
}
