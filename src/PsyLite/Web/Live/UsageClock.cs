using System.Collections.Concurrent;

namespace PsyLite.Web.Live;

/// <summary>
/// Says when somebody has been here so long that they are to be told again that this is a program, and that a break is due: after two hours
/// (Order 21 of 2026, article 18), after one for minors. Half an hour without a message is a break.
/// </summary>
internal sealed class UsageClock(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(2);
    private static readonly TimeSpan IntervalOfMinors = TimeSpan.FromHours(1);
    private static readonly TimeSpan Break = TimeSpan.FromMinutes(30);
    private readonly ConcurrentDictionary<string, (long Since, long Last)> _people = [];

    /// <summary>Counts a message of this person; true when the reminder is due with it.</summary>
    public bool Count(string owner, bool isMinor)
    {
        var now = time.GetTimestamp();
        var isDue = false;
        _people.AddOrUpdate(owner, (now, now), (_, seen) =>
        {
            var rested = time.GetElapsedTime(seen.Last, now) >= Break;
            isDue = !rested && time.GetElapsedTime(seen.Since, now) >= (isMinor ? IntervalOfMinors : Interval);
            return (rested || isDue ? now : seen.Since, now);
        });
        return isDue;
    }
}
