namespace PsyLite.Training.Layers;

/// <summary>Where the segments of a packed row lie, longest first so that parallel tasks end together.</summary>
internal sealed class Segments
{
    public Segments(int[] starts, int tokens)
    {
        Positions = new int[tokens];
        var spans = new (int Start, int Length)[starts.Length];
        for (var i = 0; i < starts.Length; i++)
        {
            var end = i + 1 < starts.Length ? starts[i + 1] : tokens;
            spans[i] = (starts[i], end - starts[i]);
            for (var t = starts[i]; t < end; t++)
            {
                Positions[t] = t - starts[i];
            }
        }

        LongestFirst = [.. spans.OrderByDescending(s => s.Length).ThenBy(s => s.Start)];
    }

    public IReadOnlyList<(int Start, int Length)> LongestFirst { get; }

    /// <summary>Position of each token in its own segment.</summary>
    public int[] Positions { get; }
}
