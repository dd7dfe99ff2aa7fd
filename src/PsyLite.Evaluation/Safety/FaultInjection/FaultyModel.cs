using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace PsyLite.Evaluation.Safety.FaultInjection;

/// <summary>A model that does what its fault says.</summary>
internal sealed class FaultyModel(FaultClock clock, Random random) : IChatClient
{
    private static readonly string[] Sound = ["<think>他在说今天的事，", "先听一听。</think>", "嗯，我在听。", "后来怎么样了？"];
    private const string Endless = "我在听，你慢慢说，想到哪里就说到哪里。";

    public ModelFault Mode { get; set; }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("A turn streams.");

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        Mode == ModelFault.ThrowsAtOnce ? throw new HttpRequestException(Fault.Secret) : SpeakAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }

    private async IAsyncEnumerable<ChatResponseUpdate> SpeakAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        await BreakAsync(isMidway: false);
        if (Mode == ModelFault.ErrorContent)
        {
            yield return new ChatResponseUpdate(ChatRole.Assistant, [new ErrorContent(Fault.Secret)]);
        }

        foreach (var piece in Words())
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return new ChatResponseUpdate(ChatRole.Assistant, piece);
            if (piece == Sound[^2])
            {
                await BreakAsync(isMidway: true);
            }
        }
    }

    private async Task BreakAsync(bool isMidway)
    {
        var (throws, hangs) = isMidway ? (ModelFault.ThrowsMidway, ModelFault.HangsMidway) : (ModelFault.ThrowsFirst, ModelFault.HangsFirst);
        if (Mode == throws)
        {
            throw new InvalidOperationException(Fault.Secret);
        }

        if (!isMidway && Mode == ModelFault.GivesUp)
        {
            throw new OperationCanceledException(Fault.Secret);
        }

        if (Mode == hangs)
        {
            // Deaf to cancellation on purpose: a turn must not depend on a model's manners.
            clock.Stall();
            await new TaskCompletionSource().Task;
        }
    }

    private IEnumerable<string> Words() => Mode switch
    {
        ModelFault.Empty or ModelFault.ErrorContent => [],
        ModelFault.Blank => [" ", "\n", "　", "\t"],
        ModelFault.Garbage => Enumerable.Range(0, 12).Select(_ => Garbage()),
        ModelFault.Endless => Enumerable.Repeat(Endless, int.MaxValue),
        ModelFault.UnclosedThought => ["<think>我得想一想，", "再想一想，", "还没有想完"],
        _ => Sound,
    };

    /// <summary>Control characters, halves of characters, private use and chance letters.</summary>
    private string Garbage() => string.Concat(Enumerable.Range(0, 8).Select(_ => random.Next(5) switch
    {
        0 => (char)random.Next(0, 0x20),
        1 => (char)random.Next(0xD800, 0xE000),
        2 => (char)random.Next(0xE000, 0xF900),
        3 => (char)random.Next(0x4E00, 0x9FA6),
        _ => (char)random.Next(0x21, 0x7F),
    }));
}
