using System.Diagnostics;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>A request on its way through the scheduler. All but its end belongs to the decoding thread.</summary>
internal abstract class EngineJob(int[] prompt, int room, CancellationToken cancellationToken)
{
    public int[] Prompt { get; } = prompt;

    /// <summary>Cells that it may take beyond the prompt.</summary>
    public int Room { get; } = room;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>When it came, in <see cref="Stopwatch"/> ticks.</summary>
    public long Submitted { get; } = Stopwatch.GetTimestamp();

    /// <summary>The sequence it works in; null while it waits.</summary>
    public CachedSequence? Sequence { get; private set; }

    /// <summary>Prompt tokens that were computed before.</summary>
    public int Cached { get; private set; }

    protected long Started { get; private set; }

    /// <summary>Prompt tokens still to be computed.</summary>
    public int Remaining => Prompt.Length - (Sequence?.Tokens.Count ?? 0);

    public void Start(CachedSequence sequence)
    {
        Sequence = sequence;
        Cached = sequence.Tokens.Count;
        Started = Stopwatch.GetTimestamp();
    }

    /// <summary>Tokens of its sequence that are worth keeping when it ends now.</summary>
    public abstract int Kept { get; }

    /// <summary>Nothing will ever go on from its prompt.</summary>
    public virtual bool IsPassing => false;

    public abstract void Cancel();

    public abstract void Fail(Exception failure);
}

/// <summary>A reply, token by token.</summary>
internal sealed class GenerationJob : EngineJob
{
    private readonly GenerationRequest request;
    private readonly ReplyText reply;
    private readonly TextHandover handover;
    private readonly Vocabulary vocabulary;
    private readonly int limit;
    private readonly TaskCompletionSource<GenerationResult> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SamplerHandle? sampler;
    private long firstLogits;

    public GenerationJob(int[] prompt, int room, GenerationRequest request, Vocabulary vocabulary, TextHandover handover, CancellationToken cancellationToken)
        : base(prompt, room, cancellationToken)
    {
        this.request = request;
        this.vocabulary = vocabulary;
        this.handover = handover;
        limit = room;
        reply = new ReplyText(vocabulary, request.Stops, handover);
    }

    public Task<GenerationResult> Done => done.Task;

    /// <summary>The newest token of the reply, which the model has not seen yet.</summary>
    public int Next { get; private set; }

    /// <summary>Tokens of the reply.</summary>
    public int Count { get; private set; }

    public override int Kept => Sequence!.Tokens.Count;

    /// <summary>Takes the next token from the logits of a batch's i-th token; true when the reply has ended.</summary>
    public bool Advance(ContextHandle context, int index)
    {
        firstLogits = firstLogits == 0 ? Stopwatch.GetTimestamp() : firstLogits;
        sampler ??= SamplerHandle.Create(request.Sampling, vocabulary.Size);
        Next = sampler.Sample(context, index);
        if (vocabulary.IsEndOfGeneration(Next))
        {
            return End(GenerationEnd.Stop);
        }

        Count++;
        if (reply.Add(Next))
        {
            return End(GenerationEnd.Stop);
        }

        return Count >= limit && End(GenerationEnd.Length);
    }

    public override void Cancel()
    {
        Close(new OperationCanceledException(CancellationToken));
        done.TrySetCanceled(CancellationToken);
    }

    public override void Fail(Exception failure)
    {
        Close(failure);
        done.TrySetException(failure);
    }

    private bool End(GenerationEnd end)
    {
        var now = Stopwatch.GetTimestamp();
        reply.Finish();
        Close(null);
        done.TrySetResult(new GenerationResult(
            end, Prompt.Length, Cached, Count, Started, Stopwatch.GetElapsedTime(Submitted, Started), Stopwatch.GetElapsedTime(Started, firstLogits), Stopwatch.GetElapsedTime(firstLogits, now)));
        return true;
    }

    private void Close(Exception? failure)
    {
        sampler?.Dispose();
        sampler = null;
        handover.Complete(failure);
    }
}

/// <summary>
/// The beginning of a prompt that will come, computed while nobody waits: it gives way to every request, and what it has computed stays.
/// </summary>
internal sealed class AheadJob(int[] prompt, CancellationToken cancellationToken) : EngineJob(prompt, 0, cancellationToken)
{
    public override int Kept => Sequence!.Tokens.Count;

    public override void Cancel()
    {
    }

    public override void Fail(Exception failure)
    {
        // Nobody waits for it; the request it was meant for computes its prompt itself, and is told what is wrong.
    }
}

/// <summary>Likelihoods of continuations of a prompt.</summary>
internal sealed class ScoreJob(int[] prompt, int room, IReadOnlyList<int[]> continuations, bool keepsPrompt, CancellationToken cancellationToken)
    : EngineJob(prompt, room, cancellationToken)
{
    private readonly TaskCompletionSource<double[]> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<int[]> Continuations { get; } = continuations;

    public double[] Scores { get; } = new double[continuations.Count];

    public Task<double[]> Done => done.Task;

    /// <summary>The question to a judge is nobody's conversation, only what was there before it is; the beginning of a text may come again.</summary>
    public override int Kept => keepsPrompt ? Prompt.Length : Cached;

    public override bool IsPassing => !keepsPrompt;

    public void Finish() => done.TrySetResult(Scores);

    public override void Cancel() => done.TrySetCanceled(CancellationToken);

    public override void Fail(Exception failure) => done.TrySetException(failure);
}
