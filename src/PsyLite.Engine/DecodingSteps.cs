using System.Diagnostics;
using System.Runtime.InteropServices;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>
/// Continuous batching: every step is one decode of the next token of each running reply and of a part of the newcomers' prompts,
/// so long that the replies do not falter. For the decoding thread alone, save for <see cref="Interrupt"/>.
/// </summary>
internal sealed class DecodingSteps : IDisposable
{
    /// <summary>Sequences for a judge's labels beside the conversations of a shared pool.</summary>
    private const int LabelBranches = 7;

    private readonly ContextHandle context;
    private readonly SequencePool pool;
    private readonly TokenBatch batch;
    private readonly LabelScoring scoring;
    private readonly PromptPace pace;
    private readonly StepThreads threads;
    private readonly bool adapts;
    private readonly ConversationStore? store;
    private readonly MappedWeights? mapped;
    private readonly List<EngineJob> waiting = [];
    private readonly List<EngineJob> running = [];

    /// <summary>What will be asked for when the people who read their replies now write on, oldest first.</summary>
    private readonly List<AheadJob> later = [];
    private readonly int mostLater;

    /// <summary>This step's jobs: where their tokens begin in the batch, how many they are, and whose logits were asked for.</summary>
    private readonly List<(EngineJob Job, int Start, int Count, int Output)> parts = [];

    /// <summary>Nothing can be admitted before a running request ends.</summary>
    private bool full;

    /// <summary>The job that has the batch for itself and may end it midway.</summary>
    private volatile EngineJob? alone;

    public DecodingSteps(LlamaModel model, EngineCacheOptions? cache)
    {
        var plan = model.Plan;
        mapped = model.Mapped;
        var branches = plan.SharedCells ? LabelBranches : 0;

        // One more lends itself to the store, which writes conversations in parts.
        context = model.CreateContext(plan.SharedCells ? branches + 1 : 0);
        batch = new TokenBatch(plan.BatchLength + plan.Outputs);
        ContextLength = Math.Min(model.ContextLength, context.SequenceLength);
        store = cache is null ? null : ConversationStore.Open(cache, model, context, plan.SharedCells ? plan.Sequences + branches : null);
        pool = new SequencePool(context, plan.Sequences, ContextLength, plan.SharedCells, store);
        scoring = new LabelScoring(context, batch, pool, plan.Sequences, branches);
        pace = new PromptPace(plan.BatchLength);
        mostLater = plan.Sequences;
        adapts = model.AdaptsThreads;
        threads = new StepThreads(context);
        Tuning = new ThreadTuning(model, context, batch, threads);
    }

    public int ContextLength { get; }

    public ThreadTuning Tuning { get; }

    public bool IsIdle => waiting.Count == 0 && running.Count == 0 && later.Count == 0;

    public EngineLoad Load => new(running.Count(j => j is not AheadJob), waiting.Count, pool.Idle, pool.UsedCells);

    public void Add(EngineJob job)
    {
        waiting.Add(job);
        DropOvertaken(job);
        full = false;
    }

    /// <summary>Takes up work for moments in which nobody waits.</summary>
    public void AddLater(AheadJob job)
    {
        DropOvertaken(job);
        later.Add(job);
        if (later.Count > mostLater)
        {
            later.RemoveAt(0);
        }
    }

    /// <summary>A job whose prompt goes on from one that was to be computed ahead computes that itself.</summary>
    private void DropOvertaken(EngineJob job) => later.RemoveAll(l => job.Prompt.AsSpan().StartsWith(l.Prompt));

    /// <summary>Stops a long prompt midway when it is the one being computed; any thread may call.</summary>
    public void Interrupt(EngineJob job)
    {
        if (alone == job)
        {
            context.RequestAbort();
        }
    }

    public void Step()
    {
        DropCancelled();
        GiveWay();
        Admit();
        Compose();
        if (parts.Count > 0)
        {
            Deliver(Decode());
        }
    }

    /// <summary>Ends every request.</summary>
    public void CancelAll()
    {
        foreach (var job in waiting)
        {
            job.Cancel();
        }

        waiting.Clear();
        later.Clear();
        foreach (var job in running.ToList())
        {
            job.Cancel();
            Leave(job);
        }
    }

    public List<string> Inconsistencies() => [.. pool.Inconsistencies()];

    /// <summary>Forgets every idle conversation, storing it first where there is a store.</summary>
    public void EvictAll()
    {
        while (pool.EvictOldest())
        {
        }
    }

    public void Dispose()
    {
        CancelAll();
        pool.StoreAll();
        store?.Dispose();
        context.Dispose();
    }

    private void DropCancelled()
    {
        for (var i = running.Count - 1; i >= 0; i--)
        {
            if (running[i] is { CancellationToken.IsCancellationRequested: true } job)
            {
                job.Cancel();
                Leave(job);
            }
        }

        waiting.RemoveAll(job =>
        {
            if (job.CancellationToken.IsCancellationRequested)
            {
                job.Cancel();
                return true;
            }

            return false;
        });
    }

    /// <summary>Work ahead ends when a request comes, and begins when there is none.</summary>
    private void GiveWay()
    {
        if (waiting.Count > 0)
        {
            if (running is [AheadJob ahead])
            {
                Leave(ahead);
            }

            return;
        }

        if (running.Count == 0 && later.Count > 0)
        {
            var next = later[0];
            later.RemoveAt(0);
            if (pool.Acquire(next.Prompt, next.Room) is { } sequence)
            {
                next.Start(sequence);
                running.Add(next);
            }
        }
    }

    /// <summary>The one whose turn it is comes first or nobody: a long prompt is not passed over for ever.</summary>
    private void Admit()
    {
        while (!full && waiting.Count > 0)
        {
            var next = pool.Idle == 0 ? null : waiting.Count == 1 ? waiting[0] : waiting.MinBy(job => pace.Rank(job, job.Prompt.Length - pool.LongestPrefix(job.Prompt)));
            if (next is null || pool.Acquire(next.Prompt, next.Room, next.IsPassing) is not { } sequence)
            {
                full = true;
                return;
            }

            waiting.Remove(next);
            next.Start(sequence);
            running.Add(next);
        }
    }

    private void Compose()
    {
        batch.Clear();
        parts.Clear();
        foreach (var job in running)
        {
            if (job is GenerationJob { Remaining: <= 0 } generation)
            {
                var at = batch.Add(generation.Next, generation.Sequence!.Tokens.Count, generation.Sequence.Id, output: true);
                parts.Add((job, at, 1, at));
            }
        }

        var replies = batch.Count;
        var budget = Math.Min(Math.Min(pace.Budget(replies, waiting.Count == 0 && running is [not AheadJob]), batch.Free), threads.PromptLimit);
        if (replies == running.Count)
        {
            return;
        }

        foreach (var job in running.Where(job => job.Remaining > 0).OrderBy(job => pace.Rank(job, job.Remaining)))
        {
            var count = Math.Min(job.Remaining, budget);
            if (count == 0)
            {
                break;
            }

            AddPrompt(job, count);
            budget -= count;
        }
    }

    private void AddPrompt(EngineJob job, int count)
    {
        var start = batch.Count;
        var from = job.Sequence!.Tokens.Count;
        var last = job is AheadJob ? -1 : job.Prompt.Length - 1;
        for (var i = from; i < from + count; i++)
        {
            batch.Add(job.Prompt[i], i, job.Sequence.Id, output: i == last);
        }

        parts.Add((job, start, count, from + count == last + 1 ? batch.Count - 1 : -1));
    }

    private int Decode()
    {
        var interruptible = parts is [{ Job.Remaining: > 0 }];
        if (interruptible)
        {
            context.AllowAbort(true);
            alone = parts[0].Job;
        }

        var replies = parts.Count(p => p.Job.Remaining <= 0);
        threads.Prepare(replies, batch.Count);
        var started = Stopwatch.GetTimestamp();
        var code = parts[0].Job.CancellationToken.IsCancellationRequested && interruptible ? Interrupted : batch.Decode(context);
        if (interruptible)
        {
            alone = null;
            context.AllowAbort(false);
        }

        var took = Stopwatch.GetElapsedTime(started);
        if (adapts && code == 0)
        {
            threads.Observe(took, replies, batch.Count);
        }

        mapped?.Used(batch.Count);
        pace.Observe(replies, batch.Count, took);
        return code;
    }

    /// <summary>llama_decode's code for a computation that was stopped.</summary>
    private const int Interrupted = 2;

    private void Deliver(int code)
    {
        if (code != 0)
        {
            Recover(code);
            return;
        }

        foreach (var (job, _, count, _) in parts)
        {
            pool.Append(job.Sequence!, Tokens(job, count));
            if (job is AheadJob { Remaining: 0 })
            {
                Leave(job);
            }
        }

        List<ScoreJob>? scores = null;
        foreach (var (job, _, _, output) in parts)
        {
            if (output < 0)
            {
                continue;
            }

            if (job is ScoreJob score)
            {
                LabelScoring.First(score, context.Logits(output));
                (scores ??= []).Add(score);
            }
            else
            {
                Attempt(job, () => ((GenerationJob)job).Advance(context, output));
            }
        }

        // These decode again and overwrite the logits, so they come last.
        scores?.ForEach(score => Attempt(score, () =>
        {
            scoring.Rest(score);
            score.Finish();
            return true;
        }));
    }

    private static ReadOnlySpan<int> Tokens(EngineJob job, int count)
    {
        var held = job.Sequence!.Tokens.Count;
        return held < job.Prompt.Length ? job.Prompt.AsSpan(held, count) : new int[] { ((GenerationJob)job).Next };
    }

    /// <summary>Whatever goes wrong with one request ends that one only.</summary>
    private void Attempt(EngineJob job, Func<bool> work)
    {
        try
        {
            if (work())
            {
                Leave(job);
            }
        }
        catch (OperationCanceledException)
        {
            job.Cancel();
            Leave(job);
        }
        catch (Exception failure)
        {
            job.Fail(failure);
            pool.Truncate(job.Sequence!, 0);
            Leave(job);
        }
    }

    /// <summary>An interrupted prompt keeps its finished micro-batches; whatever else failed takes its requests with it.</summary>
    private void Recover(int code)
    {
        foreach (var (job, _, count, _) in parts)
        {
            pool.Reconcile(job.Sequence!, Tokens(job, count));
        }

        if (code == Interrupted || (code == 1 && pool.EvictOldest()))
        {
            return;
        }

        var failure = new LlamaException(
            LlamaError.DecodeFailed, $"llama.cpp could not compute the next tokens (code {code}): load the model again, and check its file if this comes back.");
        foreach (var (job, _, _, _) in parts)
        {
            job.Fail(failure);
            pool.Truncate(job.Sequence!, 0);
            Leave(job);
        }
    }

    private void Leave(EngineJob job)
    {
        running.Remove(job);
        pool.Release(job.Sequence!, job.Kept);
        full = false;
    }
}
