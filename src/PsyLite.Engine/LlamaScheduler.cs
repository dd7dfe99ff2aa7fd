using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>Decides which request uses the context when. Requests run one after another, on a thread of their own.</summary>
internal sealed class LlamaScheduler : IDisposable
{
    private readonly LlamaModel model;
    private readonly NativeThread thread;
    private readonly LlamaDecoder decoder;
    private readonly CancellationTokenSource closing = new();

    public LlamaScheduler(LlamaModel model)
    {
        this.model = model;
        decoder = new LlamaDecoder(model);
        thread = new NativeThread("llama");
        thread.Post(decoder.TuneThreads);
    }

    /// <summary>Starts a reply as soon as the requests before it are done. The text goes through the handover; the result completes after it.</summary>
    public Task<GenerationResult> GenerateAsync(Func<int[]> prompt, GenerationRequest request, TextHandover handover, CancellationToken cancellationToken)
    {
        var reply = new ReplyText(model.Vocabulary, request.Stops, handover);
        return RunAsync(
            token =>
            {
                try
                {
                    var result = decoder.Generate(prompt(), request, reply, token);
                    handover.Complete();
                    return result;
                }
                catch (Exception failure)
                {
                    handover.Complete(failure);
                    throw;
                }
            },
            cancellationToken);
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
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, closing.Token);
        return await thread.RunAsync(() => work(linked.Token), linked.Token);
    }
}
