using System.Collections.Concurrent;
using PsyLite.Agent.Retrieval;

namespace PsyLite.Tests.Agent;

/// <summary>A search whose answer is a function, which may throw or sleep.</summary>
internal sealed class ScriptedSearch(Func<string, IReadOnlyList<PassageHit>> answer) : IPassageSearch
{
    public ConcurrentQueue<string> Asked { get; } = [];

    public ValueTask<IReadOnlyList<PassageHit>> SearchAsync(string words, int most, CancellationToken cancellationToken)
    {
        Asked.Enqueue(words);
        return ValueTask.FromResult(answer(words));
    }
}
