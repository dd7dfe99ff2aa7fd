namespace PsyLite.Agent.Risk.Learned;

/// <summary>Cuts a long text into overlapping windows of whole clauses, so that one clause can decide about a long post.</summary>
internal static class Clauses
{
    /// <summary>Characters of a window; a text up to this length is one window.</summary>
    public const int WindowLength = 40;

    public static bool IsBreak(char c) => c is '。' or '!' or '?' or '\n' or ',' or ';' or ':' or '…' or '~' or ' ' or '、' or '.';

    /// <summary>Adds the windows as (start, end) pairs: consecutive clauses as long as they fit, starting at each clause.</summary>
    public static void Windows(ReadOnlySpan<char> text, List<(int Start, int End)> windows)
    {
        if (text.Length <= WindowLength)
        {
            windows.Add((0, text.Length));
            return;
        }

        // Starts of the clauses within the window that is growing.
        Span<int> starts = stackalloc int[WindowLength + 1];
        var (first, count) = (0, 0);
        var begin = 0;
        var (covered, reached) = (-1, 0);
        for (var i = 0; i <= text.Length; i++)
        {
            var ends = i == text.Length ? i > begin : IsBreak(text[i]) || i - begin >= WindowLength - 1;
            if (!ends)
            {
                continue;
            }

            var end = Math.Min(i + 1, text.Length);
            if (IsOnlyBreaks(text[begin..end]) && i < text.Length)
            {
                begin = end;
                continue;
            }

            if (count == 0 || end - starts[first] > WindowLength)
            {
                // The clause does not fit any more: what stood so far is a window.
                if (count > 0 && reached > covered)
                {
                    windows.Add((starts[first], reached));
                    covered = reached;
                }

                while (count > 0 && end - starts[first] > WindowLength)
                {
                    first = (first + 1) % starts.Length;
                    count--;
                }
            }

            starts[(first + count) % starts.Length] = begin;
            count++;
            begin = reached = end;
        }

        if (count > 0 && reached > covered)
        {
            windows.Add((starts[first], reached));
        }

        if (windows.Count == 0)
        {
            windows.Add((0, text.Length));
        }
    }

    private static bool IsOnlyBreaks(ReadOnlySpan<char> clause)
    {
        foreach (var c in clause)
        {
            if (!IsBreak(c))
            {
                return false;
            }
        }

        return true;
    }
}
