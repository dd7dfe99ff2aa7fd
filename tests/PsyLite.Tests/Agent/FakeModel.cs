using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace PsyLite.Tests.Agent;

/// <summary>A model whose answer is a script: pieces of text, pieces of reasoning, an exception, or silence without end.</summary>
internal sealed class FakeModel(params object[] script) : IChatClient
{
    /// <summary>In a script: the model says nothing more and never returns.</summary>
    public static readonly object Hang = new();

    public List<IReadOnlyList<ChatMessage>> Asked { get; } = [];

    /// <summary>The model says nothing before this.</summary>
    public Task Before { get; init; } = Task.CompletedTask;

    public static TextReasoningContent Thought(string text) => new(text);

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new InvalidOperationException("the turn streams");

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        lock (Asked)
        {
            Asked.Add([.. messages]);
        }

        await Before.WaitAsync(cancellationToken);
        foreach (var step in script)
        {
            await Task.Yield();
            if (ReferenceEquals(step, Hang))
            {
                // Deaf to cancellation on purpose: the turn must not depend on a model's manners.
                await new TaskCompletionSource().Task;
            }

            yield return step switch
            {
                string text => new ChatResponseUpdate(ChatRole.Assistant, text),
                AIContent content => new ChatResponseUpdate(ChatRole.Assistant, [content]),
                Func<IReadOnlyList<ChatMessage>, string> answer => new ChatResponseUpdate(ChatRole.Assistant, answer([.. messages])),
                Exception fault => throw fault,
                _ => throw new ArgumentException($"no such step: {step}"),
            };
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
