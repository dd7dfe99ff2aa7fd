using System.Text;

namespace PsyLite.Engine;

/// <summary>Cuts a stream of text before the first stop string; what might begin one is held back until it is decided.</summary>
internal sealed class StopText
{
    private readonly string[] stops;
    private readonly StringBuilder held = new();

    public StopText(IEnumerable<string>? stops) => this.stops = [.. (stops ?? []).Where(s => s.Length > 0)];

    /// <summary>Passes on what is safe; true when a stop string has been reached, after which nothing more may be added.</summary>
    public bool Append(ReadOnlySpan<char> text, StringBuilder output)
    {
        if (stops.Length == 0)
        {
            output.Append(text);
            return false;
        }

        var window = held.Append(text).ToString();
        if (FirstStop(window) is { } cut)
        {
            output.Append(window, 0, cut);
            held.Clear();
            return true;
        }

        var safe = window.Length - LongestBeginning(window);
        output.Append(window, 0, safe);
        held.Remove(0, safe);
        return false;
    }

    /// <summary>Passes on what was held back: the text ended and no stop string came.</summary>
    public void Flush(StringBuilder output)
    {
        output.Append(held);
        held.Clear();
    }

    /// <summary>Where the stop string begins that is complete first, so that the result does not depend on how the text was parted.</summary>
    private int? FirstStop(string text)
    {
        (int End, int Start)? first = null;
        foreach (var stop in stops)
        {
            var at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (first is null || (at + stop.Length, at).CompareTo(first.Value) < 0))
            {
                first = (at + stop.Length, at);
            }
        }

        return first?.Start;
    }

    /// <summary>Length of the longest end of the text that begins a stop string.</summary>
    private int LongestBeginning(ReadOnlySpan<char> text)
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.EndsWith(stop.AsSpan(0, length), StringComparison.Ordinal))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
