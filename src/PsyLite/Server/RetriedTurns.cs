using System.Security.Cryptography;
using System.Text;
using PsyLite.Agent;
using PsyLite.Agent.Risk;

namespace PsyLite.Server;

/// <summary>
/// Clients send a request again when its answer got lost. A turn that was answered with a preset is then not run a second time, which would
/// count one event of risk twice: the same preset goes out again. Only requests that their client marks as sent before are looked up.
/// Presets are our own words; of the request nothing is kept but a keyed hash.
/// </summary>
internal sealed class RetriedTurns(TimeProvider time)
{
    private const int Most = 1_000;
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(2);
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly Lock _lock = new();
    private readonly OrderedDictionary<string, (DateTimeOffset At, IReadOnlyList<TurnEvent> Events)> _answered = [];

    /// <summary>What the first attempt was answered with; null when this is one, or no preset answered it.</summary>
    public IReadOnlyList<TurnEvent>? Find(ServedTurn turn)
    {
        if (!turn.Caller.IsRetry && turn.Caller.Attempt is null)
        {
            return null;
        }

        lock (_lock)
        {
            return _answered.TryGetValue(Fingerprint(turn), out var found) && time.GetUtcNow() - found.At < Kept ? found.Events : null;
        }
    }

    /// <summary>Remembers the events of a turn if a preset answered it. Calls on the host are left out: they have been made.</summary>
    public void Keep(ServedTurn turn, IReadOnlyList<TurnEvent> events)
    {
        if (events is not [.., TurnEvent.Completed { Result: { FinishReason: "preset" } result }] || result.Assessment.Tier == Tier.T0)
        {
            return;
        }

        var again = events.Where(e => e is not (TurnEvent.TakeoverRaised or TurnEvent.ContactConsented)).ToList();
        lock (_lock)
        {
            var name = Fingerprint(turn);
            _answered.Remove(name);
            _answered.Add(name, (time.GetUtcNow(), again));
            if (_answered.Count > Most)
            {
                _answered.RemoveAt(0);
            }
        }
    }

    private string Fingerprint(ServedTurn turn)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        Add(hash, turn.Caller.User);
        Add(hash, turn.Caller.ConversationId ?? "");
        Add(hash, turn.Caller.Attempt ?? "");
        foreach (var message in turn.Messages)
        {
            Add(hash, message.Role.Value);
            Add(hash, message.Text);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>With its length before it, so that no two lists of texts run together alike.</summary>
    private static void Add(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        hash.AppendData(BitConverter.GetBytes(bytes.Length));
        hash.AppendData(bytes);
    }
}
