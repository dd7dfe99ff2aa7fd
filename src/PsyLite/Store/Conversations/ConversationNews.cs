namespace PsyLite.Store.Conversations;

/// <summary>
/// Tells open pages that something was written into a conversation from outside: a counsellor's words, or that the danger was lifted. Whoever
/// shows a conversation listens and reads it anew. Safe to share.
/// </summary>
internal sealed class ConversationNews
{
    private readonly Lock _lock = new();
    private readonly List<Func<string, Task>> _listeners = [];

    /// <summary>Calls <paramref name="listener"/> with the conversation's id until the result is disposed.</summary>
    public IDisposable Listen(Func<string, Task> listener)
    {
        lock (_lock)
        {
            _listeners.Add(listener);
        }

        return new Ear(this, listener);
    }

    public Task TellAsync(string conversation)
    {
        lock (_lock)
        {
            return Task.WhenAll(_listeners.Select(listener => listener(conversation)));
        }
    }

    private sealed class Ear(ConversationNews news, Func<string, Task> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (news._lock)
            {
                news._listeners.Remove(listener);
            }
        }
    }
}
