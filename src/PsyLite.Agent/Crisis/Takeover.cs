using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>
/// Asks a person to take over: what is known, and none of what was said. One ticket stands for one episode of danger; when the
/// danger grows it is raised again under the same <paramref name="Id"/>.
/// </summary>
public sealed record TakeoverTicket(string Id, string ConversationId, Tier Tier, DateTimeOffset At, IReadOnlyList<string> Rules);

/// <summary>
/// Where tickets go, outside the turn: an on-call list, a pager, a queue. Calls return at once and a ticket of a known id replaces the earlier
/// one. Whatever an implementation throws is swallowed: the reply to a person in danger waits for nothing.
/// </summary>
public interface ITakeoverDesk
{
    void Raise(TakeoverTicket ticket);

    /// <summary>A person has looked and lifted the danger.</summary>
    void Close(string ticketId);
}

/// <summary>Keeps open tickets in memory, newest kept when there are too many.</summary>
public sealed class TakeoverQueue(int most = 10_000) : ITakeoverDesk
{
    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, TakeoverTicket> _open = [];

    public IReadOnlyList<TakeoverTicket> Open
    {
        get
        {
            lock (_lock)
            {
                return [.. _open.Values];
            }
        }
    }

    public void Raise(TakeoverTicket ticket)
    {
        lock (_lock)
        {
            _open[ticket.Id] = ticket;
            if (_open.Count > most)
            {
                _open.RemoveAt(0);
            }
        }
    }

    public void Close(string ticketId)
    {
        lock (_lock)
        {
            _open.Remove(ticketId);
        }
    }
}
