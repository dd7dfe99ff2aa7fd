using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>Decides which request uses the context when. Requests run one after another, on a thread of their own.</summary>
internal sealed class LlamaScheduler : IDisposable
{
    private readonly LlamaModel model;
    private readonly NativeThread thread;
    private readonly LlamaDecoder decoder;
    private readonly CancellationTokenSource closing = new();
    private readonly Task tuning;

    public LlamaScheduler(LlamaModel model)
    {
        this.model = model;
        decoder = new LlamaDecoder(model);
        thread = new NativeThread("llama");
        tuning = thread.RunAsync(
            () =>
            {
                decoder.TuneThreads();
                return true;
            },
            CancellationToken.None);
    }

    /// <summary>Replies as soon as the requests before are done. The text goes through the handover, which ends as the task does.</summary>
    public async Task<GenerationResult> GenerateAsync(Func<int[]> prompt, GenerationRequest request, TextHandover handover, CancellationToken cancellationToken)
    {
        var reply = new ReplyText(model.Vocabulary, request.Stops, handover);
        try
        {
            var result = await RunAsync(token => decoder.Generate(prompt(), request, reply, token), cancellationToken);
            handover.Complete();
            return result;
        }
        catch (Exception failure)
        {
            handover.Complete(failure);
            throw;
        }
    }

    /// <summary>Likelihoods of continuations; see <see cref="LlamaDecoder.Score"/>.</summary>
    public Task<double[]> ScoreAsync(Func<(int[] Prompt, IReadOnlyList<int[]> Continuations)> work, CancellationToken cancellationToken) =>
        RunAsync(
            token =>
            {
                var (prompt, continuations) = work();
                return decoder.Score(prompt, continuations, token);
            },
            cancellationToken);

    /// <summary>Done when the first decode has been made, so that no request pays for it.</summary>
    public Task Ready => tuning;

    public void Dispose()
    {
        if (closing.IsCancellationRequested)
        {
            return;
        }

        closing.Cancel();
        thread.Dispose();
        decoder.Dispose();
        closing.Dispose();
    }

    private async Task<T> RunAsync<T>(Func<CancellationToken, T> work, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
        var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, closing.Token);
        return await thread.RunAsync(
            () =>
            {
                using (linked)
                {
                    linked.Token.ThrowIfCancellationRequested();
                    return work(linked.Token);
                }
            },
            linked.Token);
    }
}
